// Package report is how a running daemon and the commands of people talk: HTTP over a Unix socket
// in the runtime folder.
//
// What is asked for has a version in its path. Within one version fields are only added, and both
// sides ignore what they do not know, so that a command speaks to a daemon that is a release older
// or newer. A person may ask as well:
//
//	curl --unix-socket /run/raynoded/role/control.sock -X POST http://raynoded/v1/reload
package report

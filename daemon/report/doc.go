// Package report is how commands talk to a running daemon: HTTP over a Unix socket in the runtime
// folder.
//
// Every path has a version in it. Within one version, fields are only added, and both sides ignore
// fields that they do not know. A command can therefore talk to a daemon of an older or a newer
// release. A person can use the socket as well:
//
//	curl --unix-socket /run/raynoded/role/control.sock -X POST http://raynoded/v1/reload
package report

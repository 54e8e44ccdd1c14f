// Package host is what this host is and has for one instance of raynoded: the instance's
// folders and their lock, the host's addresses, the token, what an auto role is here, and what
// the environment of Ray is made of. It runs no Ray and asks no GCS.
//
// The package reads and writes the disk and returns values and errors. What is wrong with the host
// is a reason.ErrHost.
package host

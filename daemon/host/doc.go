// Package host is what this host is and has for one instance of raynoded: its folders and the lock
// in them, its addresses, its token, what an auto role is here, and what the environment of Ray is
// made of. No Ray runs here and no GCS is asked.
//
// It reads and writes the disk and returns values and errors; what is wrong with the host is a
// reason.ErrHost.
package host

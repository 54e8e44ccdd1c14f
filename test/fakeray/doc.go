// Package fakeray plays Ray for tests that want processes and a GCS, but no Python: a test binary
// whose TestMain calls [Main] is the `ray` program and everything that `ray start` leaves behind,
// each with the command line of the real one (Ray 2.60), and the GCS speaks real gRPC.
//
// The programs of one cluster share a [Folder]: each notes there that it has started, and each node
// that it is in the cluster. A raylet also obeys signals: SIGTERM is a stop in order, SIGUSR1 a
// crash, SIGUSR2 a drain by somebody else; after SIGHUP the GCS holds it for dead, while it lives.
//
// These variables tell the programs what to do otherwise:
//
//	FAKERAY_VERSION  of Ray, "2.60.0" if unset
//	FAKERAY_PYTHON   of the Python that runs it, "3.11.7" if unset
//	FAKERAY          what goes wrong, as words with commas between them; see mishap.go
package fakeray

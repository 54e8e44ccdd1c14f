// Package ray holds what raynoded knows about Ray itself, once: its command line and environment,
// the programs that `ray start` leaves behind and which of them a node cannot live without, the
// ports it takes, where it writes its last words, and what keeps it from starting in time.
//
// It starts nothing that outlives a call and decides nothing. The facts were read in and tried on
// Ray 2.9.3, 2.40.0 and 2.60.0; where they differ, the code says from which version on.
package ray

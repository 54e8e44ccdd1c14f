// Package ray is the one place for what raynoded knows about Ray itself: its command line and
// environment, the programs that `ray start` leaves behind and which of them a node cannot live
// without, the ports it takes, where it writes its last words, and what keeps it from starting in
// time.
//
// The package starts nothing that outlives a call, and decides nothing. The facts were read in the
// source of Ray 2.9.3, 2.40.0 and 2.60.0 and tried with them. Where they differ, the code says from
// which version on.
package ray

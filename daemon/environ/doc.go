// Package environ makes the environment of Ray and the job, and says where each value comes from.
//
// Resolve is a pure function. It puts layers on top of each other, and a later layer wins: a
// base of a few names from raynoded's own environment, the profiles, what follows from the
// host's network, [env] of the role file, and its KEY=value files. Values that differ from
// host to host go into a file for NCCL (see Value and Delivery). Otherwise, a program that
// sends its environment to other hosts would set one host's network interface on another.
//
// Nothing here reads the disk: daemon/host does.
package environ

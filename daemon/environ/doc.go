// Package environ makes the environment of Ray and the job, and says where each value came from.
//
// Resolve is a pure function. The layers, of which a later one wins, are: a base of a few names out
// of raynoded's own environment, the profiles, what follows from the host's network, [env] of the
// role file, and its KEY=value files. What differs from host to host goes into a file for NCCL, so
// that a program that sends its environment to other hosts cannot put one host's network interface
// on another (see Value and Delivery).
// Nothing here reads the disk: daemon/host does.
package environ

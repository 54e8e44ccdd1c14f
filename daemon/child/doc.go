// Package child keeps a tree of processes: it starts them into a cgroup of their own, adopts the
// ones whose parent dies, reaps them all, and stops them so that nothing survives. It needs Linux
// 5.4 (pidfd).
//
// Nothing escapes, for two reasons. This process is the subreaper of its descendants: an orphan, a
// double fork or a process with its own session becomes our child, never init's. And where cgroup
// v2 allows it, every start has a cgroup of its own, which the kernel can kill as a whole. What the
// kernel offers is probed, not read from its version:
//
//	full    clone into the cgroup, kill by cgroup.kill (Linux 5.14)
//	frozen  clone into the cgroup, kill by freezing it and killing its members (Linux 5.7)
//	moved   this process moves in, starts, moves back; kill as above (before Linux 5.7)
//	none    no cgroup of our own: kill every descendant until none is left
//
// A process of the tree that is outside the cgroup is killed as a descendant in every case.
//
// Exits are seen by pidfd. An exit code is exact if we reaped the process, or if it was still
// unreaped when we looked. If another parent was faster, the code is unknown, and Exit says so.
//
// os/exec and a reaper compete for exit codes. So one mutex guards every start and every look for
// the dead, and no wait ever names "any child". After New, every process must be started by Start,
// Run or Output. Children that this process had before New are neither reaped nor killed.
package child

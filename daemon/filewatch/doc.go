// Package filewatch says when the content of files has changed and settled.
//
// It watches folders, not files: every folder on the route to a file, with links followed. So it
// does not matter how a file is written: in place, by a rename over it, by another link, with its
// folder, or by a link to its folder (Kubernetes' ..data). An event of the kernel is only a reason
// to look. If a look finds something new, a second look must find the same after a quiet time; see
// [Watch]. Every 30 s there is a look without a reason: for events that were lost, for folders that
// cannot be watched, and for network file systems, where another host's write is no event.
//
// A write that pauses half-way cannot be told from one that has ended. The quiet time is 0.2 s, and
// 1 s for content that does not look finished ([Content]).
package filewatch

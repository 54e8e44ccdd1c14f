// Package filewatch says when the content of files has changed and settled.
//
// Folders are watched, not files: every folder on the way to a file, links followed,
// so that it does not matter how a file is written: in place, by a rename over it, by
// another link, with its folder, or by a link to its folder (Kubernetes' ..data). What
// the kernel tells is only a reason to look. A look that differs from what was last
// known must be found again, unchanged, after a quiet time; see [Watch]. Every 30 s
// there is a look without a reason: for events that were lost, for folders that cannot
// be watched, and for network file systems, where another host's write is no event.
//
// A write that pauses half-way cannot be told from one that has ended. The quiet time
// is 0.2 s, and a second for content that does not look finished ([Content]).
package filewatch

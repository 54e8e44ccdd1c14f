// Package lab gives tests real Ray and real hosts on one machine.
//
// [NewNetwork] makes a switch that nothing of the machine is connected to.
// [Boot] plugs a host into it: a container with a booted systemd, a file
// system of its own that survives [Host.Reboot], and its own network, process
// table and cgroups. [Netns] plugs in a host without systemd that shares the
// machine's files, for programs run in the foreground; it is there in some
// milliseconds.
//
// What the lab needs is made by test/setup; [Need] skips a test where a piece
// is missing, and says which. All of a network carries one name (folder,
// network namespaces, cgroup, machine names), and all of it goes when the test
// ends, also when the test process is interrupted or told to end, or its go test
// dies. A test process that was killed itself cannot clean up: the next network
// made from the same checkout does it, and the next [Folder].
//
// Limits of waits are those of a machine with nothing else to do: [Until],
// [Within] and [Stretch] make them longer on a busy one.
package lab

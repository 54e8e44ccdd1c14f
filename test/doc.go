// Package test is the tests that take more than Go: real Ray, real systemd, real packages. It has
// no code of its own. This page says where they are and how to run one.
//
// # Where a test is
//
// The folders are named for what they prove.
//
//	tag      folder         proves
//	ray      test/ray       raynoded with real Ray, in the foreground: roles, tokens, jobs, ends
//	systemd  test/hosts     the units on booted hosts: starts, stops, standing nodes, drivers
//	systemd  test/faults    what becomes of a cluster of two hosts after each fault
//	systemd  test/packages  .deb, .rpm and release: installed, upgraded, removed, published
//	systemd  test/ansible   the Ansible role and its playbooks, on a fleet
//	systemd  test/lab       the lab itself: hosts, networks, power, lines
//	matrix   test/ansible   what of it takes repositories or a second Ray
//	matrix   test/ray       which interface NVIDIA's NCCL takes
//	matrix   test/hosts     an all-reduce of PyTorch's over hosts that differ
//	chaos    test/chaos     a cluster of three under random faults, for as long as you like
//	bench    test/bench     the numbers of docs/performance.md
//	none     the others     the tools of the tests
//
// Beside its code each package has its unit tests, without a tag; daemon and daemon/gcs have a few
// with the tag ray. `make test` runs all without a tag and with ray or systemd. `make matrix`,
// `make chaos` and `make bench` run the others.
//
// # How to run one
//
// A test that misses something says so and skips itself. `make test-setup` makes what is in .lab;
// booted hosts take root. The program or the packages are those that were made last.
//
//	tag      needs                              one test of it
//	none     Go, a C compiler                   go test -run TestWrite ./test/reliability
//	ray      make build; .lab                   go test -tags ray -run TestNone ./test/ray
//	systemd  make package; .lab, root           go test -tags systemd -run Host_Job ./test/hosts
//	matrix   also test/setup wheels, root dnf   go test -tags systemd,matrix -run _APT ./test/ansible
//	         or test/setup root torch           go test -tags systemd,matrix -run Gloo ./test/hosts
//	         or test/setup nccl, make build     go test -tags ray,matrix -run NCCL ./test/ray
//	chaos    as systemd                         CHAOS_TIME=2m go test -tags chaos -v ./test/chaos
//	bench    as systemd                         BENCH_ROUNDS=1 test/bench/run loss
//
// A cell of the fault matrix is a subtest. Most of them run with RAYNODED_MATRIX=all only:
//
//	RAYNODED_MATRIX=all go test -tags systemd -run '^TestMatrix_Worker$/crashes' ./test/faults
//
// # What they share
//
//	test/lab          booted hosts, networks, cables, real Ray: what the machine is made to be
//	test/kit/host     a host with the package: units, journal, role files; a pair of them
//	test/kit/site     raynoded in the foreground, on loopback addresses
//	test/kit/dist     the packages that were built, and newer ones
//	test/programs     what runs on a cluster, in Python
//	test/fakeray      a program that plays Ray, for the tests of daemon and cmd
//	test/edits        the ways in which a role file is edited
//	test/page         tables in documents
//	test/reliability  writes docs/reliability.md from what matrix and chaos have left in .lab
//
// # Why the packages of a tag run one after the other
//
// A booted host has a systemd and a Ray of its own, and two clusters beside each other are all that
// two cores carry without being late. `make test` runs the tags ray and systemd side by side, so
// the packages of each run with -p 1; test/packages and test/ansible also make the same .lab/newer.
// Within a package, tests that mostly wait have t.Parallel.
package test

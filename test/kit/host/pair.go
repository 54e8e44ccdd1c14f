package host

import "testing"

// Pair is a cluster of two hosts: the head is a.lab, the worker b.lab.
type Pair struct{ Head, Worker *Host }

// BootPair boots the two hosts, with their roles and tokens in place and nothing started.
func BootPair(t *testing.T, suite string) *Pair {
	t.Helper()
	return PairOf(t, Boot(t, suite, "a", "b"))
}

// PairOf makes a pair of two hosts, called a and b, that have the package.
func PairOf(t *testing.T, hosts []*Host) *Pair {
	t.Helper()
	p := &Pair{Head: hosts[0], Worker: hosts[1]}
	p.Head.Put(t, RolePath, PairHead, "644")
	p.Head.Put(t, TokenPath, Token+"\n", "640")
	p.Head.Sh(t, "chgrp raynoded "+TokenPath)
	p.Worker.Put(t, RolePath, PairWorker, "644")
	p.Worker.Put(t, Credential, Token+"\n", "600")
	for _, h := range hosts {
		h.DropIn(t, Unit, "quick", "[Service]\nRestartSec=1s\n") // 10 s in the unit
	}
	return p
}

// StartBoth starts the units that do not run yet, and returns when both are in the cluster.
func (p *Pair) StartBoth(t *testing.T) {
	t.Helper()
	p.Head.Sh(t, "systemctl start "+Unit)
	p.Worker.Sh(t, "systemctl start "+Unit)
	p.Await(t)
}

// StopBoth stops both units, the worker first, since it would otherwise lose its head.
func (p *Pair) StopBoth(t *testing.T) {
	t.Helper()
	for _, h := range []*Host{p.Worker, p.Head} {
		h.Sh(t, "systemctl stop "+Unit)
		h.RequireState(t, Unit, Down)
	}
}

// Await waits until the cluster has both nodes.
func (p *Pair) Await(t *testing.T) {
	t.Helper()
	p.Head.Sh(t, "raynoded wait --nodes 2 --timeout 90s")
	p.Worker.Await(t, Unit, Up.With("StatusText", "running: *"))
}

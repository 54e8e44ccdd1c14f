package lab

import "testing"

// NCCL returns NVIDIA's library of collectives; the test is skipped where there is none. Without a
// GPU it can do one thing: say by which network interface it would be found.
func NCCL(t testing.TB) string {
	t.Helper()
	Need(t, Piece{func(l *Lab) error { return l.made("nccl", "nccl") }})
	return find(t).piece("nccl/nvidia/nccl/lib/libnccl.so.2")
}

package child

import "testing"

// BenchmarkStop stops a tree of 101 processes without grace.
func BenchmarkStop(b *testing.B) {
	for _, c := range kinds {
		b.Run(c.name, func(b *testing.B) {
			tree := newTree(b, forced(b, c.kind))
			for b.Loop() {
				b.StopTimer()
				_, out := run(b, tree, "crowd", "100")
				out.says(b, "ready")
				b.StartTimer()
				if err := tree.Stop(b.Context(), 0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package watchdog

import (
	"os"
	"runtime"
	"testing"
)

// One processor: where two goroutines of a synctest bubble fire timers at once, Go 1.26's race
// detector crashes (golang.org/issue/78156). Races are found by what happens before what, on one
// processor as well.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}

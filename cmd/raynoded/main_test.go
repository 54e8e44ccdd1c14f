package main

import (
	"flag"
	"os"
	"testing"

	"github.com/raynoded/raynoded/test/fakeray"
)

// beRaynoded makes the test binary raynoded itself.
const beRaynoded = "RAYNODED_TEST_MAIN"

func TestMain(m *testing.M) {
	if code, played := fakeray.Main(); played {
		os.Exit(code)
	}
	if os.Getenv(beRaynoded) != "" {
		main()
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // most of the time they wait for processes
	os.Exit(m.Run())
}

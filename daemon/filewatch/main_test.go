package filewatch

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // most of the time they wait for quiet
	os.Exit(m.Run())
}

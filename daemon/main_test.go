package daemon

import (
	"os"
	"testing"

	"github.com/raynoded/raynoded/test/fakeray"
)

func TestMain(m *testing.M) {
	if code, played := fakeray.Main(); played {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

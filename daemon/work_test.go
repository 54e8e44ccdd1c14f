package daemon

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
)

func TestJobEnd(t *testing.T) {
	cases := []struct {
		exit child.Exit
		want JobEnd
	}{
		{child.Exit{Known: true}, JobEnd{0, "exit code 0"}},
		{child.Exit{Known: true, Code: 3}, JobEnd{3, "exit code 3"}},
		{child.Exit{Known: true, Code: -1, Signal: syscall.SIGKILL}, JobEnd{137, "signal killed"}},
		{child.Exit{}, JobEnd{1, "exit code unknown (its parent took it)"}},
	}
	for _, c := range cases {
		require.Equal(t, &c.want, jobEnd(c.exit))
	}
}

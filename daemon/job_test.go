package daemon

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
)

func TestJobEnd(t *testing.T) {
	cases := []struct {
		exit child.Exit
		want reason.JobEnd
	}{
		{child.Exit{Known: true}, reason.JobEnd{Code: 0, Text: "exit code 0"}},
		{child.Exit{Known: true, Code: 3}, reason.JobEnd{Code: 3, Text: "exit code 3"}},
		{child.Exit{Known: true, Code: -1, Signal: syscall.SIGKILL}, reason.JobEnd{Code: 137, Text: "signal killed"}},
		{child.Exit{}, reason.JobEnd{Code: 1, Text: "exit code unknown (its parent took it)"}},
	}
	for _, c := range cases {
		require.Equal(t, &c.want, jobEnd(c.exit))
	}
}

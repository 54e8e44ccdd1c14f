package notify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChildEnv(t *testing.T) {
	require.Equal(t, []string{
		"PATH=/usr/bin",
		"NOTIFY_SOCKET_DIR=/x",
		"INVOCATION_ID=6d3e",
		"CREDENTIALS_DIRECTORY=/run/credentials/raynoded.service",
		"RUNTIME_DIRECTORY=/run/raynoded/role",
		"MY_LISTEN_FDS=1",
		"EMPTY=",
	}, ChildEnv([]string{
		"PATH=/usr/bin",
		"NOTIFY_SOCKET=/run/systemd/notify",
		"NOTIFY_SOCKET_DIR=/x",
		"WATCHDOG_USEC=30000000",
		"WATCHDOG_PID=12",
		"LISTEN_PID=12",
		"LISTEN_FDS=1",
		"LISTEN_FDNAMES=a:b",
		"LISTEN_PIDFDID=3",
		"FDSTORE=8",
		"INVOCATION_ID=6d3e",
		"JOURNAL_STREAM=9:1234",
		"MAINPID=12",
		"MANAGERPID=1",
		"SYSTEMD_EXEC_PID=12",
		"CREDENTIALS_DIRECTORY=/run/credentials/raynoded.service",
		"RUNTIME_DIRECTORY=/run/raynoded/role",
		"MY_LISTEN_FDS=1",
		"EMPTY=",
	}))
	require.Empty(t, ChildEnv(nil))
}

package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
)

func process(pid int, args ...string) child.Process {
	return child.Process{PID: pid, Started: uint64(pid), Args: args}
}

func TestProcesses_Stages(t *testing.T) {
	starter := process(1, "/opt/ray/bin/ray", "start")
	gcsServer, raylet := process(2, "/v/gcs_server"), process(3, "/v/raylet", "--node_id=ab")
	dashboard := process(4, "python3", "/v/ray/dashboard/dashboard.py")
	cases := []struct {
		name    string
		starts  bool // `ray start` has not returned
		members []child.Process
		spared  child.Stage
		want    []child.Stage
	}{
		{"nothing has been started", false, nil, nil, []child.Stage{child.Rest}},
		{"a head", false, []child.Process{gcsServer, dashboard, raylet}, child.Stage{2}, []child.Stage{{3}, child.Rest}},
		{"a head that starts", true, []child.Process{gcsServer}, child.Stage{2}, []child.Stage{{1}, child.Rest}},
		{"a worker", false, []child.Process{raylet}, nil, []child.Stage{{3}, child.Rest}},
		{"a worker that starts", true, []child.Process{raylet}, nil, []child.Stage{{1}, {3}, child.Rest}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := processes{starter: starter}
			if c.starts {
				b.exit = make(chan child.Exit)
			}
			for _, p := range c.members {
				b.take(p)
			}
			spared, stages := b.stages()
			require.Equal(t, c.spared, spared)
			require.Equal(t, c.want, stages)
		})
	}
}

func TestProcesses_Take(t *testing.T) {
	var b processes
	_, isNew := b.take(process(5, "/opt/ray/bin/ray", "start"))
	require.False(t, isNew, "between its fork and its exec it shows its parent's command line")
	m, isNew := b.take(process(5, "/v/raylet", "--node_id=ab"))
	require.True(t, isNew)
	require.True(t, m.Vital)
	require.Equal(t, "ab", m.NodeID)
	_, isNew = b.take(process(5, "/v/raylet", "--node_id=ab"))
	require.False(t, isNew)
	_, isNew = b.take(child.Process{PID: 5, Started: 99, Args: []string{"/v/raylet"}})
	require.True(t, isNew, "a PID is used again")
	require.Len(t, b.members, 2)
}

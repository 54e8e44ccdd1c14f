package role

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRole_Warnings(t *testing.T) {
	const (
		worker = "role = 'worker'\ncluster.head = 'gpu-001:6379'\nauth.mode = 'none'\n"
		local  = "role = 'worker'\ncluster.head = '127.0.0.1:6379'\nauth.mode = 'none'\n"
		head   = "role = 'head'\ncluster.head = 'gpu-001:6379'\nauth.mode = 'none'\n"
	)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":              {text: worker},
		"a stop of 15 minutes": {text: worker + "stop.drain = '14m25s'"},
		"a longer stop": {
			text: worker + "stop.drain = '14m26s'",
			want: []string{"a stop may take 15m1s (stop.drain, stop.grace and 30s), and systemd kills the node after 15m: " +
				`systemctl edit raynoded.service, with "[Service]" and "TimeoutStopSec=902"`},
		},
		"a long grace": {
			text: head + "stop.grace = '1h'",
			want: []string{"a stop may take 1h0m30s (stop.drain, stop.grace and 30s), and systemd kills the node after 15m: " +
				`systemctl edit raynoded.service, with "[Service]" and "TimeoutStopSec=3631"`},
		},
		"a head does not drain": {text: head + "stop.drain = '1h'"},
		"lo": {
			text: worker + "node.interface = 'lo'",
			want: []string{`node.interface is "lo": other hosts only reach this one by it ` +
				"if it has an address that is routed here"},
		},
		"loopback": {
			text: head + "node.ip = '127.0.0.2'", want: []string{"node.ip is 127.0.0.2, which other hosts cannot reach"},
		},
		"IPv6 loopback": {
			text: worker + "node.ip = '::1'", want: []string{"node.ip is ::1, which other hosts cannot reach"},
		},
		"all on a host":  {text: local + "node.ip = '127.0.0.2'"},
		"lo of one host": {text: local + "node.interface = 'lo'"},
		"single":         {text: "role = 'single'\nnode.interface = 'lo'"},
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, map[string]string{"role.toml": c.text})
			require.Equal(t, c.want, r.Warnings("raynoded.service"))
		})
	}
}

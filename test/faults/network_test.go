//go:build systemd

package faults

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestMatrix_Network is what happens between the two hosts.
func TestMatrix_Network(t *testing.T) {
	runCells(t, slices.Concat(cutCable(), firewalls(), takenPort(), badLine()))
}

// The shorter windows of these cells.
const (
	silent6 = "watchdog.silent = \"6s\"\n" + often
	stuck6  = "watchdog.stuck = \"6s\"\n" + often
)

// pinged is how much longer it may take where only what goes to the GCS is lost: it pings its
// watchers every 10 s, that comes through, and only the answer to it is what the kernel waits for
// in vain.
const pinged = 10 * time.Second

// cutCable is a network that carries nothing, or only one way.
func cutCable() []cell {
	const says = "head lost: silent: nothing comes back for *"
	const least, most = 6 * time.Second, 12 * time.Second
	out := func(t *testing.T, try *trial, length time.Duration) {
		try.Worker.Cut(t, true)
		time.Sleep(length)
		try.Worker.Cut(t, false)
	}
	plugIn := func(t *testing.T, try *trial) {
		try.Head.Cut(t, false)
		try.Worker.Cut(t, false)
	}
	return []cell{
		{
			fault: "the worker's cable is out for 8 s, less than silent (30 s)", worker: often,
			do: func(t *testing.T, try *trial) {
				out(t, try, 8*time.Second)
				try.worksOn(t)
			},
			undo: plugIn,
			want: harmless(unharmed(), unharmed("the head answers again")),
		}, {
			// Ray's own connections end after 20 s without an answer: a driver that loses its call ends, and
			// its actor with it.
			fault: "the worker's cable is out for 20 s, less than silent (30 s)",
			do: func(t *testing.T, try *trial) {
				out(t, try, 20*time.Second)
				try.family = nil
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
			},
			undo: plugIn,
			want: map[way]fates{perJob: {unharmed(), unharmed("the head answers again")}},
		}, {
			fault: "the worker's cable is out for longer than silent (6 s)", core: true, worker: silent6,
			do: func(t *testing.T, try *trial) {
				try.Worker.Cut(t, true)
				if try.way == stands {
					try.Worker.AwaitLine(t, try.began, says)
					try.Worker.Cut(t, false)
				}
			},
			undo: plugIn,
			want: followed(unharmed(), says, least, most),
		}, {
			fault: "the head's cable is out for longer than silent (6 s)", worker: silent6,
			do:   func(t *testing.T, try *trial) { try.Head.Cut(t, true) },
			undo: plugIn,
			want: leaves(unharmed(), says, least, most),
		}, {
			fault: "nothing from the worker reaches the head for longer than silent (6 s)", worker: silent6,
			do: func(t *testing.T, try *trial) {
				try.Head.Filter(t, input("ip saddr "+try.Worker.Address.String()+" drop"))
			},
			undo: noFirewall,
			want: leaves(unharmed(), says, least, most+pinged),
		}, {
			fault: "nothing from the head reaches the worker for longer than silent (6 s)", worker: silent6,
			do: func(t *testing.T, try *trial) {
				try.Worker.Filter(t, input("ip saddr "+try.Head.Address.String()+" drop"))
			},
			undo: noFirewall,
			want: leaves(unharmed(), says, least, most),
		},
	}
}

// firewalls are in front of the head's GCS.
func firewalls() []cell {
	const (
		connections = "tcp dport 6379 tcp flags & (syn | ack) == syn reject with tcp reset"
		packets     = "tcp dport 6379 reject with tcp reset"
		prohibited  = "tcp dport 6379 reject with icmpx type admin-prohibited"
	)
	begin := func(rule string) func(*testing.T, *trial) {
		return func(t *testing.T, try *trial) { try.Head.Filter(t, input(rule)) }
	}
	moment := func(rule string, length time.Duration) func(*testing.T, *trial) {
		return func(t *testing.T, try *trial) {
			try.Head.Filter(t, input(rule))
			try.Worker.Await(t, host.Unit, host.State{"StatusText": "running: *head does not answer: *"})
			time.Sleep(length)
			try.Head.Filter(t, "")
			try.worksOn(t)
		}
	}
	return []cell{
		{
			fault: "a firewall rejects new connections to the GCS for 3 s, longer than refused (500 ms); those that are " +
				"open go on",
			core: true, worker: often,
			do: moment(connections, 3*time.Second), undo: noFirewall,
			want: harmless(unharmed(), unharmed("the head answers again")),
		}, {
			fault:  "a firewall rejects every packet to the GCS for 12 s, less than refused (30 s)",
			worker: "watchdog.refused = \"30s\"\n" + often,
			do:     moment(packets, 12*time.Second), undo: noFirewall,
			want: harmless(unharmed(), unharmed("the head answers again")),
		}, {
			fault: "a firewall rejects new connections to the GCS for good; those that are open go on: stuck (6 " +
				"s)", worker: stuck6,
			do: begin(connections), undo: noFirewall,
			want: leaves(
				unharmed(), "head lost: stuck: reachable, but no answer for *connection refused", 6*time.Second, 12*time.Second,
			),
		}, {
			// An idle connection hears of it when TCP asks, within 10 s.
			fault: "a firewall rejects every packet to the GCS for good", worker: often,
			do: begin(packets), undo: noFirewall,
			want: leaves(unharmed(), "head lost: gone: every connection refused for 5*", 500*time.Millisecond, 12*time.Second),
		}, {
			fault: "a firewall prohibits every packet to the GCS for good: silent (6 s)", worker: silent6,
			do: begin(prohibited), undo: noFirewall,
			want: leaves(unharmed(), "head lost: silent: nothing comes back for *", 6*time.Second, 12*time.Second+pinged),
		},
	}
}

// takenPort is a program in the place of a GCS that has been killed. systemd starts the head again,
// and that one cannot be.
func takenPort() []cell {
	squat := func(kind string) func(*testing.T, *trial) {
		return func(t *testing.T, try *trial) {
			program := try.Head.Program(t, "raynoded", "role", "squat.py", "6379", kind)
			host.Says(t, program, "wants")
			try.began = host.Clock(t)
			try.Head.Signal(t, "KILL", "gcs_server")
			host.Says(t, program, "has")
			try.headRestarts(t)
		}
	}
	const taken = "this host is not fit: cluster.head: *"
	want := func(says string, least, most time.Duration) map[way]fates {
		want := leaves(broken(71, taken, time.Second, 10*time.Second), says, least, most)
		want[stands] = fates{
			head:   outcome{state: holds, says: taken, least: time.Second, most: 10 * time.Second},
			worker: want[stands].worker,
		}
		return want
	}
	return []cell{
		{
			fault: "the head's GCS is killed, and a web server takes its port",
			do:    squat("http"),
			want:  want("head lost: gone: *not a Ray head: *", 500*time.Millisecond, 1500*time.Millisecond),
		}, {
			fault: "the head's GCS is killed, and a program that says nothing takes its port: stuck (6 s)", worker: stuck6,
			do:   squat("mute"),
			want: want("head lost: stuck: reachable, but no answer for *", 6*time.Second, 12*time.Second),
		},
	}
}

// badLine is a network that loses much and is slow.
func badLine() []cell {
	mend := func() {}
	return []cell{{
		fault: "20 % of the packets are lost and the others late by 500 ms, each way, for a minute",
		do: func(t *testing.T, try *trial) {
			mend = try.Worker.Line(t, lab.Weather{Loss: 0.2, Delay: 500 * time.Millisecond})
			time.Sleep(time.Minute)
			mend()
			try.worksOn(t)
		},
		undo: func(*testing.T, *trial) { mend() },
		want: harmless(unharmed(), unharmed()),
	}}
}

// input is a firewall with one rule for what comes to a host from the others.
func input(rule string) string {
	return "table inet lab { chain input { type filter hook input priority 0; iifname " + strconv.Quote(
		lab.Interface,
	) + " " + rule + "; }; }\n"
}

func noFirewall(t *testing.T, try *trial) {
	try.Head.Filter(t, "")
	try.Worker.Filter(t, "")
}

// worksOn wants the driver and its actor at work still, and the cluster ready for more.
func (try *trial) worksOn(t *testing.T) {
	t.Helper()
	require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
	require.True(t, try.driver.Running(), try.driver.Output())
}

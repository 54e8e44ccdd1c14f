// Package daemon is the life of one node: it makes a host the head or a worker of a Ray cluster,
// keeps it there as long as the cluster lives, and leaves nothing behind. This page is the
// architecture.
//
// # Rooms
//
//	cmd/raynoded      flags in, exit code out
//	daemon            one life of one Ray: phases, the one select
//	daemon/reason     why a node ends, and what each reason means: exit code, tried again, whose
//	daemon/host       what this host is and has: folders, lock, addresses, token, an auto role
//	daemon/cluster    what a GCS says of its nodes and of this one: Member, Gather, digests
//	daemon/role       the role file: types, defaults, drop-ins, strict checks with file:line:col
//	daemon/environ    what Ray's environment is, and where each value came from
//	daemon/ray        what we know about Ray, once: command line, programs, ports, last words
//	daemon/gcs        the client of Ray's control store (GCS)
//	daemon/child      a tree of processes: start into a cgroup, adopt, reap, stop; nothing survives
//	daemon/watchdog   the watch over the head: policy over probes, returns only with a reason
//	daemon/filewatch  says when files have changed and settled
//	daemon/report     what we tell people and machines: the control socket
//	daemon/pause      waits for a time, and says why it was cut short
//	daemon/notify     what we tell systemd and the journal, and what children must not inherit
//
// daemon knows any room. host and cluster know leaves, not each other. A leaf knows at most role
// and reason. Of cmd, only run.go and logging.go know daemon: all other commands work without one.
// Leaves never log and never decide: they return values and errors. Every third-party package has
// one room, but for logrus (daemon and cmd), x/sys and, in tests, testify. imports_test.go and
// depguard hold this table.
//
// # Three floors
//
// Within daemon nothing calls up:
//
//	Daemon  daemon.go runs one life after another, watchreload.go brings it edits
//	life    one Ray, from the checks of the host to the last process gone: life.go, prepare.go,
//	        environment.go, join.go, warmup.go, comeup.go, start.go, watch.go, judge.go,
//	        census.go, tidy.go, job.go, drain.go; it has processes (processes.go, supervise.go,
//	        started.go, stop.go) and a cluster.Member
//	loop    the node's state and the one select: loop.go, phase.go, notes.go, ends.go, reload.go,
//	        decide.go; it has roles (roles.go, force.go)
//
// # A life
//
//	   .----- standing: the head is lost, or what is wrong may be mended -----.
//	   v                                                                      |
//	waiting --> starting --> running --> draining --> stopping ---------------+--> end
//	   |           |            |                        ^
//	   '-----------'------------'------------------------'
//
// life.go reads from top to bottom:
//
//	prepare    check this host: ray.bin, the token, the folders, what the environment is made of;
//	           every problem at once
//	tidyFirst  old sessions go, for a second at most
//	join       a worker asks the head's GCS until it answers as one that this node may join: its
//	           token, its cluster id, its Ray and Python, the head's own node. It asks without
//	           Python; meanwhile warmUp reads, once, what Ray will import. A head finds its address
//	comeUp     start and arrive, again where only Ray's agents were slow
//	start      `ray start` without --block: Ray's processes become raynoded's own children, which is
//	           their subreaper
//	arrive     until the GCS lists this very start of this node, by the id in its raylet's command
//	           line. That is READY, and it is before `ray start` returns
//	watch      beside supervise (Ray's processes), census (how many nodes a head has), tidy (old
//	           sessions) and runJob
//	judge      a failure of Ray is looked at again: was the head lost before, was the node drained
//	drain      a worker that was asked to stop announces it, and waits for what runs on it
//	stop       the job; the raylet, which says goodbye; the rest; then SIGKILL for the whole cgroup,
//	           the GCS in it
//
// Why not `ray start --block`: it overlooks children that exit with 0, so a node can be gone from
// the cluster under an active unit; it exits with 1 on a clean stop; it drains for 30 s on SIGTERM
// (Ray 2.57 and newer).
//
// # Who owns what
//
// One goroutine, the one in Run, owns the node's state and is its only writer. What blocks is a
// guard: a function of a context that runs in a goroutine of its own beside the one select (until,
// in loop.go) and returns with a reason. The first guard to return ends the others. What it said
// counts, unless it was good news or an edit, and another saw Ray, the job or the head end
// meanwhile (outweighs, in ends.go). What a guard has to tell on the way goes to the select as a
// note. The same select feeds systemd's keep-alive, so a daemon that hangs is seen to hang.
//
// The fields of a life that guards write (the member's, the processes) belong to one guard at a
// time; until waits for all of them before it returns. Only the list of started processes
// (started.go) has two writers, and a mutex.
//
// The role in force is replaced as a whole, by the loop alone (force.go); guards may look at it,
// and wait for the next one. roles.life is the role that Ray was started with: only what is live in
// the file differs from that in the one in force.
//
// # A changed key, read aloud
//
//	filewatch           Watch says that the files have changed and settled; or a command asks at the
//	                    control socket; or a SIGHUP comes where no terminal is
//	watchreload.go      one goroutine does all the looking; propose hands what it read to the select
//	loop.go             the select takes the proposal
//	reload.go           refuse, or accept: what came of it is told to systemd, the log and who asked
//	roles.go            accept puts in force what is live, and returns what needs a new Ray
//	reload.go           that waits for the next life; where it is to begin now (no Ray runs, or
//	                    reload.restart = "always"), requestRestart ends this one
//	decide.go           activate puts the whole file in force for the next life
//
// # Head lost, read aloud
//
//	watchdog/watch.go   Watch returns *LostError: every connection was refused for 500 ms
//	daemon/watch.go     watch hands it on: to a worker it is a lost head, to a head its own Ray
//	daemon/loop.go      the select takes it as the first thing a guard said
//	daemon/judge.go     judge: had this worker joined? If not, it never reached its head
//	daemon/life.go      run: nothing is drained, the head cannot hear of it
//	daemon/phase.go     enter(Stopping, why): one log line, one datagram
//	daemon/life.go      stop, without a grace
//	daemon/child        Stop kills the cgroup and waits until it is empty
//	daemon/daemon.go    liveOn returns it, or, of a standing node, waits for the next head
//	daemon/reason       Of says that it is in order, and means exit code 0
//	cmd/raynoded        exitCode: the unit ends inactive
//
// # Decisions
//
//   - systemd restarts, raynoded does not. It only lives again, in the standing way, after its head
//     was lost, or where what is wrong may be mended while it waits.
//   - One failure of Ray is tried again by raynoded: a raylet gives its Python agents 15 s, which
//     no setting changes, and a host that reads their files for the first time, or is busy, needs
//     more (Ray 2.60). systemd would wait, and start into the same; right after the failure the
//     files are in memory. Such a head is another cluster than before, so a worker waits for the
//     head's own node: 2 s longer than for its GCS where both start at the same time.
//   - After a lost head, or a head's own dead GCS, Ray's processes get SIGKILL at once, without the
//     grace: their cluster is gone, there is nobody to say goodbye to (a raylet whose GCS is away
//     does not leave on SIGTERM), and the GPUs are wanted. A job keeps its grace.
//   - systemd is never asked for more time (EXTEND_TIMEOUT_USEC): it forgets that at every
//     daemon-reload, and ends what it had granted it to. The keep-alive guards a start, from before
//     the role is read; the unit's TimeoutStopSec= a stop.
//   - A worker gives Ray, and watches, the address that answered it, not the name: a DNS outage is
//     no lost head.
//   - What the role file itself has wrong is exit code 78; what it names and this host lacks (a
//     program, a folder, a port, a token file) is 71.
//   - `ray start`, what it leaves behind and the job are written down in the state folder. Where no
//     systemd cleans up after a raynoded that was killed, the next one kills exactly those
//     processes (pid and start time, of this boot) with the sessions they are in, which Start has
//     made, and nothing else.
//   - The GCS of a head is not asked to end: it is killed when everything else has gone. Asked, it
//     waits for the workers of other hosts to hang up (Ray 2.60: for longer than the grace), and it
//     has nothing to save.
//   - A persistent head is one more policy of the watchdog: three windows of one length. On the
//     head itself nothing differs but where its GCS keeps its state: it ends with 70 and systemd
//     starts it again.
//   - If Ray dies on a worker while a persistent head is away, that is 70 and not a lost head:
//     systemd starts the unit again, and it waits for the head as any worker does.
//   - A Redis with a password is refused: Ray 2.60 puts it into the command line of its GCS. The
//     namespace in it is the head's address, which a head that comes back must have again, and no
//     other cluster has.
//   - A session folder of Ray is ours if it is in our own state folder, or has our owner file:
//     others may share a temp_dir. The owner file says there which user's on which host the node
//     is, and must belong to this user; a session with several owner files is removed by the last
//     of the owners. Everybody may write into such a folder, which is Ray's own doing.
//   - A probe that waits is no reason not to ask again: while the head is silent or stuck,
//     questions overlap. With a round trip of 1 s and a fifth of all packets lost, one question in
//     five takes longer than 15 s (200 watchers, measured).
//   - The watch over a head's own GCS knows no head_return: only an end of this raynoded, and its
//     next start, bring it back.
//   - Ray's environment is made, not inherited: a base of a few names, profiles, what follows from
//     the host, [env], files. It is made twice: before the join, to find what is wrong with it, and
//     before `ray start`, when the node's address is known. What differs from host to host goes to
//     NCCL by a file, as drivers send their environment to other hosts (docs/environment.md).
//     ray.env has nothing of it. What is derived for one host and goes by the environment, Ray's
//     processes get and a head's [job] does not: it may send its environment to other hosts.
//   - RAY_gcs_rpc_server_reconnect_timeout_s is set a minute above every window of ours, so that
//     raynoded, which knows the policy, leaves before the raylet does.
//   - A reload that is bad changes nothing, and is complained about until it is mended. A key that
//     is not live waits for Ray's next start: no edit ends a training run, unless reload.restart
//     says so.
//   - A reload tells systemd RELOADING=1 and READY=1 in one go, once the unit is started: under
//     Type=notify it is nearly nothing, and a site that has made it notify-reload gets the answer
//     that it waits for, also for a bad file.
//   - A watchdog window that has become longer than Ray was told to wait for its head applies, and
//     is "restart pending" as well: the raylet would leave before raynoded does.
//   - What an auto role was decided to be stays, unless the file says something else of what the
//     decision rests on. Its keys are compared as decided: a [job] that is edited in a whole
//     fleet's file is nothing to a worker.
//   - Content of named files counts (the token's, of profiles and of env_from.files): it is
//     compared by a hash, and a change of it needs a new Ray.
//   - Probes and the watch stream have connections of their own: unanswered data on a connection
//     stops TCP's keepalive, by which the kernel notices a dead host.
package daemon

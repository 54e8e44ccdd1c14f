package role

import (
	"errors"
	"strconv"
	"strings"
)

// Kind is what the host is to be. The zero value is not a role: Load returns none.
type Kind string

// The four roles.
const (
	Head   Kind = "head"   // runs the cluster's GCS
	Worker Kind = "worker" // joins the head
	Single Kind = "single" // no cluster: the job, if any, starts Ray inside itself
	Auto   Kind = "auto"   // head, worker or single, found out at start
)

// OnHeadLoss is what a node does when its head is gone.
type OnHeadLoss string

// The two ways to use raynoded.
const (
	Stop   OnHeadLoss = "stop"   // per-job: clean up and end
	Rejoin OnHeadLoss = "rejoin" // standing: clean up and wait for the next head
)

// AuthMode is Ray's own word for how nodes and drivers prove that they belong to
// the cluster. The zero value means that the file does not say, which only a
// single host may.
type AuthMode string

// The two modes.
const (
	Token AuthMode = "token"
	None  AuthMode = "none"
)

// NCCLDelivery is how NCCL gets the values that differ from host to host.
type NCCLDelivery string

// The two ways.
const (
	DeliverFile NCCLDelivery = "file" // in a file of this host that NCCL_CONF_FILE names; needs NCCL 2.23
	DeliverEnv  NCCLDelivery = "env"  // as environment variables, like everything else
)

// Restart is what a changed key that needs a new Ray does to one that runs.
type Restart string

// The two answers.
const (
	Never  Restart = "never"  // it waits for Ray's next start
	Always Restart = "always" // Ray is stopped, with all that runs on it, and started anew
)

// LogLevel is the least severity that is logged: trace, debug, info, warning or
// error.
type LogLevel string

// LogFormat is how log lines are written. The zero value leaves it to where
// raynoded runs: the journal under systemd, else text.
type LogFormat string

// The formats to choose from.
const (
	LogJournal LogFormat = "journal"
	LogText    LogFormat = "text"
	LogJSON    LogFormat = "json"
)

// value is a type that reads one TOML string. Its error says in full what a value
// must be and does not quote the text. None reads the empty text.
type value interface{ UnmarshalText([]byte) error }

// mustBe is the complaint about something that is no text at all.
func mustBe(v value) string { return v.UnmarshalText(nil).Error() }

// UnmarshalText takes one of the four words.
func (k *Kind) UnmarshalText(text []byte) error { return take(k, text, Head, Worker, Single, Auto) }

// UnmarshalText takes one of the two words.
func (o *OnHeadLoss) UnmarshalText(text []byte) error { return take(o, text, Stop, Rejoin) }

// UnmarshalText takes one of the two words.
func (m *AuthMode) UnmarshalText(text []byte) error { return take(m, text, Token, None) }

// UnmarshalText takes one of the two words.
func (d *NCCLDelivery) UnmarshalText(text []byte) error {
	return take(d, text, DeliverFile, DeliverEnv)
}

// UnmarshalText takes one of the two words.
func (r *Restart) UnmarshalText(text []byte) error { return take(r, text, Never, Always) }

// UnmarshalText takes one of the five words.
func (l *LogLevel) UnmarshalText(text []byte) error {
	return take(l, text, "trace", "debug", "info", "warning", "error")
}

// UnmarshalText takes one of the three words.
func (f *LogFormat) UnmarshalText(text []byte) error {
	return take(f, text, LogJournal, LogText, LogJSON)
}

// take sets target to the word that text is.
func take[T ~string](target *T, text []byte, words ...T) error {
	quoted := make([]string, len(words))
	for i, word := range words {
		if string(text) == string(word) {
			*target = word
			return nil
		}
		quoted[i] = strconv.Quote(string(word))
	}
	last := len(quoted) - 1
	return errors.New("must be " + strings.Join(quoted[:last], ", ") + " or " + quoted[last])
}

package role

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Kind is what the host is. The zero value is not a role; Load never returns it.
type Kind string

// The four roles.
const (
	Head   Kind = "head"   // runs the cluster's GCS
	Worker Kind = "worker" // joins the head
	Single Kind = "single" // no cluster: the job, if any, starts Ray inside itself
	Auto   Kind = "auto"   // head, worker or single, decided at the start
)

// OnHeadLoss is what a node does when its head is gone.
type OnHeadLoss string

// The two ways to use raynoded.
const (
	Stop   OnHeadLoss = "stop"   // per-job: clean up and end
	Rejoin OnHeadLoss = "rejoin" // standing: clean up and wait for the next head
)

// AuthMode is Ray's own word for how nodes and drivers prove that they belong to the cluster. The
// zero value means that the file does not say; only the file of a single host may leave it out.
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

// Restart is what a changed key that needs a new Ray does to the one that runs.
type Restart string

// The two answers.
const (
	Never  Restart = "never"  // it waits for Ray's next start
	Always Restart = "always" // Ray is stopped, with all that runs on it, and started again
)

// LogLevel is the lowest severity that is logged: trace, debug, info, warning or error.
type LogLevel string

// LogFormat is how log lines are written. The zero value means for the journal under systemd,
// otherwise as text.
type LogFormat string

// The formats to choose from.
const (
	LogJournal LogFormat = "journal"
	LogText    LogFormat = "text"
	LogJSON    LogFormat = "json"
)

// value is a type that reads one TOML string. Its error says in full what the value must be, and
// does not quote the text. The empty text is always an error.
type value interface{ UnmarshalText([]byte) error }

// mustBe is the complaint about a value that is not a string.
func mustBe(v value) string { return v.UnmarshalText(nil).Error() }

// UnmarshalText accepts one of the words.
func (k *Kind) UnmarshalText(text []byte) error { return parseWord(k, text) }

// UnmarshalText accepts one of the words.
func (o *OnHeadLoss) UnmarshalText(text []byte) error { return parseWord(o, text) }

// UnmarshalText accepts one of the words.
func (m *AuthMode) UnmarshalText(text []byte) error { return parseWord(m, text) }

// UnmarshalText accepts one of the words.
func (d *NCCLDelivery) UnmarshalText(text []byte) error { return parseWord(d, text) }

// UnmarshalText accepts one of the words.
func (r *Restart) UnmarshalText(text []byte) error { return parseWord(r, text) }

// UnmarshalText accepts one of the words.
func (l *LogLevel) UnmarshalText(text []byte) error { return parseWord(l, text) }

// UnmarshalText accepts one of the words.
func (f *LogFormat) UnmarshalText(text []byte) error { return parseWord(f, text) }

func (Kind) words() []string         { return list(Head, Worker, Single, Auto) }
func (OnHeadLoss) words() []string   { return list(Stop, Rejoin) }
func (AuthMode) words() []string     { return list(Token, None) }
func (NCCLDelivery) words() []string { return list(DeliverFile, DeliverEnv) }
func (Restart) words() []string      { return list(Never, Always) }
func (LogLevel) words() []string     { return []string{"trace", "debug", "info", "warning", "error"} }
func (LogFormat) words() []string    { return list(LogJournal, LogText, LogJSON) }

func list[T ~string](words ...T) []string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return texts
}

// choice is a type with a word for each of its values.
type choice interface {
	~string
	words() []string
}

// parseWord sets target to the word that text is.
func parseWord[T choice](target *T, text []byte) error {
	words := (*target).words()
	if slices.Contains(words, string(text)) {
		*target = T(text)
		return nil
	}
	return errors.New("must be " + quoted(words))
}

// quoted is `"a", "b" or "c"`.
func quoted(words []string) string {
	marked := make([]string, len(words))
	for i, word := range words {
		marked[i] = strconv.Quote(word)
	}
	last := len(marked) - 1
	return strings.Join(marked[:last], ", ") + " or " + marked[last]
}

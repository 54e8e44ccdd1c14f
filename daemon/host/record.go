package host

import (
	"encoding/json"
	"time"
)

// End is how a run ended, as last-end.json keeps it.
type End struct {
	Time   time.Time `json:"time"`
	Role   string    `json:"role"`
	Reason string    `json:"reason"`
	Code   int       `json:"exit_code"`
}

// Record keeps how the run ended. A folder that was never made keeps nothing.
func (d Dirs) Record(e End) error {
	if err := d.trust(d.State); err != nil {
		return err
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return Replace(d.lastEnd(), append(text, '\n'))
}

// RecordRefused is Record for a run that ends before it holds the lock: the record of a raynoded
// that runs stays.
func (d Dirs) RecordRefused(e End) error {
	if err := d.trust(d.State); err != nil {
		return err
	}
	lock, err := d.Lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	return d.Record(e)
}

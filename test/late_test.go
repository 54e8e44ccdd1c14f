//go:build ray || systemd

package test

import (
	"time"

	"github.com/raynoded/raynoded/test/lab"
)

// late is how much later than it should something may come: on a machine with nothing else to do
// 10 s, on a busy one more.
func late() time.Duration { return lab.Stretch(10 * time.Second) }

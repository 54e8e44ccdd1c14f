//go:build ray || systemd

package test

import "time"

// late is how much later than it should something may come on a machine with much to do.
const late = 10 * time.Second

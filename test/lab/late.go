package lab

import "time"

// Patience is how long a test waits for what must come, such as a Ray that starts. [Until]
// stretches it on a busy machine.
const Patience = 90 * time.Second

// Late is how much later than it should something may come: on a machine with nothing else to do
// 10 s, on a busy one more.
func Late() time.Duration { return Stretch(10 * time.Second) }

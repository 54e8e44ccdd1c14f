package gcs

// RemoteAddr is the ip:port that answered to the head's name.
func (c *Conn) RemoteAddr() string { return c.wire.RemoteAddr().String() }

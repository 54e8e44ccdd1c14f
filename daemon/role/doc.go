// Package role reads the role file: what one host is to be in a Ray cluster.
//
// [Load] reads the file and the drop-ins of the folder beside it over the
// defaults, and returns either a [Role] in which every value has been checked,
// or [Problems]: every complaint at once, each with its file, line and column.
// A key that the package does not know is a complaint, never ignored.
//
// [Diff] says what differs between two roles, and which of it applies to a node that
// runs. [Files] are what a role is made of: they are read at one moment, so that what
// was looked at is what is loaded.
//
// [NewSchema] describes the keys, for editors and for the manual page; about.go has
// the words.
//
// The way of a key: files.go reads the files, document.go parses one and knows
// the place of each value, decode.go puts the values into the Role, values.go
// checks each value of a file by itself, together.go checks what the merged
// values mean together. A file that is not TOML hides its values, so then the
// last step is left out: its complaints would be guesses.
package role

package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unique"
)

// Token is the secret that a cluster in token mode (Ray 2.52 and later) wants with every call. The
// zero Token is no token. Tokens may be compared with ==. However a Token is printed, also as a
// field of something else, the secret is not shown.
type Token struct {
	// The secret is behind a pointer, because fmt reads unexported fields of unexported fields without
	// asking the type how it wants to be printed.
	secret unique.Handle[string]
}

// NewToken makes a Token of secret, without the white space around it; Ray does the same with its
// token file. An empty secret gives the zero Token.
func NewToken(secret string) Token {
	secret = strings.TrimSpace(secret)
	if secret == "" {
		return Token{}
	}
	return Token{secret: unique.Make(secret)}
}

// String says whether there is a token, never which.
func (t Token) String() string {
	if t == (Token{}) {
		return "[no token]"
	}
	return "[token]"
}

// Format prints String for every verb.
func (t Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, t.String()) }

// WriteTo writes the secret. It is for the file from which Ray reads it.
func (t Token) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, t.reveal())
	return int64(n), err
}

func (t Token) reveal() string {
	if t == (Token{}) {
		return ""
	}
	return t.secret.Value()
}

// redact replaces the secret in a text that came from elsewhere.
func (t Token) redact(text string) string {
	if t == (Token{}) {
		return text
	}
	return strings.ReplaceAll(text, t.reveal(), t.String())
}

func (t Token) check() error {
	for _, b := range []byte(t.reveal()) {
		if b < '!' || b > '~' {
			return errors.New("token: must be printable ASCII without spaces")
		}
	}
	return nil
}

// bearer puts the token on every call, below all of gRPC that logs.
type bearer Token

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if Token(b) == (Token{}) {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + Token(b).reveal()}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

package main

import (
	"encoding/json"
	"unicode/utf8"
)

// A token is one value of a record's object: its kind and its bytes, those of a string without the quotes.
type token struct {
	kind    byte // 's' string, 'i' integer, 'f' other number, 'a' array, 'o' object, 'n' null, 'b' bool; 0 missing
	escaped bool
	raw     []byte
}

const maxDepth = 512

// The fields that mean something to this engine.
const (
	fEventID = iota
	fAt
	fKind
	fPerson
	fSpace
	fClient
	fTry
	fVersion
	fReason
	fSinceDrop
	fTweetID
	fConversation
	fText
	fLang
	fHashtags
	fRef
	fMark
	fRun
	fEvents
	fields
)

func fieldOf(key []byte, topic string) int {
	switch string(key) {
	case "event_id":
		return fEventID
	case "at":
		return fAt
	case "kind":
		return fKind
	case "listener":
		if topic == presence {
			return fPerson
		}
	case "author":
		if topic == tweets {
			return fPerson
		}
	case "space":
		return fSpace
	case "client":
		return fClient
	case "try":
		return fTry
	case "v":
		return fVersion
	case "reason":
		return fReason
	case "since_drop_ms":
		return fSinceDrop
	case "tweet_id":
		return fTweetID
	case "conversation":
		return fConversation
	case "text":
		return fText
	case "lang":
		return fLang
	case "hashtags":
		return fHashtags
	case "ref":
		return fRef
	case "mark":
		return fMark
	case "run":
		return fRun
	case "events":
		return fEvents
	}
	return -1
}

// scan reads one JSON value; it returns the tokens of an object's fields and whether it is JSON, and an object.
func scan(raw []byte, topic string, found *[fields]token) (isJSON, isObject bool) {
	*found = [fields]token{}
	if !utf8.Valid(raw) {
		return false, false
	}
	s := scanner{b: raw}
	s.space()
	if s.at() != '{' {
		_, ok := s.value(0)
		s.space()
		return ok && s.i == len(raw), false
	}
	ok := s.object(0, func(key token, value token) {
		name := key.raw
		if key.escaped {
			name = []byte(key.text())
		}
		if f := fieldOf(name, topic); f >= 0 {
			found[f] = value
		}
	})
	s.space()
	return ok && s.i == len(raw), true
}

type scanner struct {
	b []byte
	i int
}

func (s *scanner) at() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) object(depth int, each func(key, value token)) bool {
	s.i++
	s.space()
	if s.at() == '}' {
		s.i++
		return true
	}
	for {
		s.space()
		if s.at() != '"' {
			return false
		}
		key, ok := s.str()
		if !ok {
			return false
		}
		s.space()
		if s.at() != ':' {
			return false
		}
		s.i++
		s.space()
		value, ok := s.value(depth + 1)
		if !ok {
			return false
		}
		each(key, value)
		s.space()
		switch s.at() {
		case ',':
			s.i++
		case '}':
			s.i++
			return true
		default:
			return false
		}
	}
}

func (s *scanner) array(depth int, each func(value token)) bool {
	s.i++
	s.space()
	if s.at() == ']' {
		s.i++
		return true
	}
	for {
		s.space()
		value, ok := s.value(depth + 1)
		if !ok {
			return false
		}
		each(value)
		s.space()
		switch s.at() {
		case ',':
			s.i++
		case ']':
			s.i++
			return true
		default:
			return false
		}
	}
}

func (s *scanner) value(depth int) (token, bool) {
	if depth > maxDepth {
		return token{}, false
	}
	begin := s.i
	switch c := s.at(); {
	case c == '"':
		return s.str()
	case c == '{':
		ok := s.object(depth, func(_, _ token) {})
		return token{kind: 'o', raw: s.b[begin:s.i]}, ok
	case c == '[':
		ok := s.array(depth, func(token) {})
		return token{kind: 'a', raw: s.b[begin:s.i]}, ok
	case c == 't':
		return token{kind: 'b'}, s.word("true")
	case c == 'f':
		return token{kind: 'b'}, s.word("false")
	case c == 'n':
		return token{kind: 'n'}, s.word("null")
	}
	return s.number()
}

func (s *scanner) word(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

func (s *scanner) str() (token, bool) {
	s.i++
	begin, escaped := s.i, false
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			found := token{kind: 's', escaped: escaped, raw: s.b[begin:s.i]}
			s.i++
			return found, !escaped || json.Valid(s.b[begin-1:s.i])
		case c == '\\':
			escaped = true
			s.i += 2
		case c < ' ':
			return token{}, false
		default:
			s.i++
		}
	}
	return token{}, false
}

func (s *scanner) digits() int {
	begin := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - begin
}

func (s *scanner) number() (token, bool) {
	begin, kind := s.i, byte('i')
	if s.at() == '-' {
		s.i++
	}
	zero := s.at() == '0'
	if count := s.digits(); count == 0 || zero && count > 1 {
		return token{}, false
	}
	if s.at() == '.' {
		s.i++
		kind = 'f'
		if s.digits() == 0 {
			return token{}, false
		}
	}
	if c := s.at(); c == 'e' || c == 'E' {
		s.i++
		kind = 'f'
		if c := s.at(); c == '+' || c == '-' {
			s.i++
		}
		if s.digits() == 0 {
			return token{}, false
		}
	}
	return token{kind: kind, raw: s.b[begin:s.i]}, true
}

// text returns the value of a string.
func (t token) text() string {
	if !t.escaped {
		return string(t.raw)
	}
	var text string
	quoted := append(append([]byte{'"'}, t.raw...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return ""
	}
	return text
}

// bytes returns the value of a string, without a copy where it has no escapes.
func (t token) bytes() []byte {
	if !t.escaped {
		return t.raw
	}
	return []byte(t.text())
}

// number returns an integer from 0 to 2^53 - 1, or -1.
func (t token) number() int64 {
	if t.kind != 'i' || len(t.raw) > 16 || t.raw[0] == '-' {
		return -1
	}
	var n int64
	for _, c := range t.raw {
		n = n*10 + int64(c-'0')
	}
	if n >= 1<<53 {
		return -1
	}
	return n
}

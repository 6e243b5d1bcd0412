package main

// An event is what is counted of one record. Its bytes belong to the record.
type event struct {
	id, at, person int64
	kind           string
	space          int    // presence: index of the space
	try, since     int64  // presence: since is -1 where there was no drop
	client, reason string // presence: of those told apart, other for any other
	gaveUp         bool
	conversation   []byte
	text           []byte
	hashtags       [][]byte
}

type mark struct {
	at  int64
	end bool
}

// Reasons why a record is put aside.
const (
	notJSON      = "not_json"
	wrongShape   = "wrong_shape"
	wrongVersion = "wrong_version"
	outOfRange   = "out_of_range"
)

// A decoder turns the records of one topic into events; what it returns is valid until the next call.
type decoder struct {
	info   *runInfo
	topic  string
	spaces map[string]int
	found  [fields]token
	event  event
	mark   mark
}

func newDecoder(info *runInfo, topic string) *decoder {
	d := &decoder{info: info, topic: topic, spaces: map[string]int{}}
	for index, space := range info.Spaces {
		d.spaces[space] = index
	}
	return d
}

// The clients and reasons that breakdowns tell apart; any other counts as other.
var clients = []string{"web", "ios", "android"}
var reasons = []string{"overloaded", "room_closed", "connection_lost", "login_failed", "timed_out"}

var presenceKinds = map[string]string{"attempt": "attempt", "join": "join", "fail": "fail", "leave": "leave", "drop": "drop"}
var tweetKinds = map[string]string{"post": "posts", "reply": "replies", "quote": "quotes", "repost": "reposts"}

// decode returns the event or the mark of a record, or the reason why it is neither.
func (d *decoder) decode(raw []byte) (*event, *mark, string) {
	isJSON, isObject := scan(raw, d.topic, &d.found)
	switch {
	case !isJSON:
		return nil, nil, notJSON
	case !isObject:
		return nil, nil, wrongShape
	}
	f := &d.found
	ours := f[fVersion].kind == 'i' && string(f[fVersion].raw) == "1"
	if ours && d.shaped() {
		if !d.inRange() {
			return nil, nil, outOfRange
		}
		return &d.event, nil, ""
	}
	if ours && f[fMark].kind == 's' && f[fRun].kind == 's' && f[fAt].number() >= 0 && optionalCount(f[fEvents]) {
		kind := f[fMark].text()
		if kind == "end" || kind == "watermark" {
			if f[fRun].text() != d.info.Run {
				return nil, nil, outOfRange
			}
			d.mark = mark{at: f[fAt].number(), end: kind == "end"}
			return nil, &d.mark, ""
		}
	}
	if !ours && f[fVersion].kind != 0 {
		return nil, nil, wrongVersion
	}
	return nil, nil, wrongShape
}

func optional(t token, kind byte) bool {
	return t.kind == 0 || t.kind == 'n' || t.kind == kind
}

func optionalCount(t token) bool {
	return t.kind == 0 || t.kind == 'n' || t.number() >= 0
}

// shaped fills in the event and tells whether all its fields are there and of their types.
func (d *decoder) shaped() bool {
	f, e := &d.found, &d.event
	*e = event{id: f[fEventID].number(), at: f[fAt].number(), person: f[fPerson].number(), hashtags: e.hashtags[:0]}
	if e.id < 0 || e.at < 0 || e.person < 0 || f[fKind].kind != 's' {
		return false
	}
	if d.topic == tweets {
		return d.tweet()
	}
	kind, isKind := presenceKinds[string(f[fKind].bytes())]
	e.kind, e.try, e.since = kind, f[fTry].number(), -1
	if !isKind || f[fSpace].kind != 's' || f[fClient].kind != 's' || e.try < 1 {
		return false
	}
	if !optional(f[fReason], 's') || !optional(f[fSinceDrop], 'i') {
		return false
	}
	if f[fSinceDrop].kind == 'i' {
		if e.since = f[fSinceDrop].number(); e.since < 0 {
			return false
		}
	}
	e.client = known(clients, f[fClient])
	e.reason = known(reasons, f[fReason])
	e.gaveUp = f[fReason].kind == 's' && string(f[fReason].bytes()) == "gave_up"
	var space bool
	if e.space, space = d.spaces[string(f[fSpace].bytes())]; !space {
		e.space = -1
	}
	return true
}

// known returns a string if it is among those told apart, else other.
func known(texts []string, t token) string {
	if t.kind == 's' {
		for _, text := range texts {
			if string(t.bytes()) == text {
				return text
			}
		}
	}
	return other
}

func (d *decoder) tweet() bool {
	f, e := &d.found, &d.event
	kind, known := tweetKinds[string(f[fKind].bytes())]
	e.kind = kind
	if !known || f[fTweetID].kind != 's' || f[fLang].kind != 's' || f[fConversation].kind != 's' {
		return false
	}
	if f[fText].kind != 's' || !optional(f[fRef], 's') {
		return false
	}
	e.conversation, e.text = f[fConversation].bytes(), f[fText].bytes()
	if f[fHashtags].kind == 0 {
		return true
	}
	if f[fHashtags].kind != 'a' {
		return false
	}
	shaped := true
	s := scanner{b: f[fHashtags].raw}
	s.array(0, func(tag token) {
		shaped = shaped && tag.kind == 's'
		e.hashtags = append(e.hashtags, tag.bytes())
	})
	return shaped
}

func (d *decoder) inRange() bool {
	e, info := &d.event, d.info
	return e.id < info.Events && e.person < info.People && info.Start <= e.at && e.at <= info.End && e.space >= 0
}

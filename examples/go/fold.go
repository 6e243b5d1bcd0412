package main

import (
	"bytes"
	"math/bits"
	"sort"
	"strconv"
)

const (
	rejoinWithin = 60_000
	waited       = 20 * 60_000
	never        = int64(-1)
)

var audienceKinds = []string{
	"attempts", "arrivals", "joins", "fails", "drops", "leaves", "give_ups", "rejoins_60s", "first_joins", "waited_20m",
}
var reactionKinds = []string{"posts", "replies", "quotes", "reposts", "thread_reposts", "first_authors"}

// durationFamilies are the counts of durations: each is followed by the first millisecond of a bin.
const (
	timeToJoin   = "time_to_join:"
	timeToExit   = "time_to_exit:"
	timeToRejoin = "time_to_rejoin:"
)

// inBin returns the count of a family that holds a duration: its three leading binary digits are those of the bin.
func inBin(family string, duration int64) string {
	shift := max(0, bits.Len64(uint64(duration))-3)
	return family + strconv.FormatInt(duration>>shift<<shift, 10)
}

// people is what is known of all listeners or authors of a topic. Every person's events are in one partition, so that
// the partitions of a topic can share it.
type people struct {
	seen           []uint64  // event ids, one bit each
	first          [][]int64 // by name: the earliest join or tweet of each person
	attempt, leave []int64
}

func newPeople(info *runInfo, topic string) *people {
	p := &people{seen: make([]uint64, info.Events/64+1)}
	for range info.names(topic) {
		p.first = append(p.first, nevers(info.People))
	}
	if topic == presence {
		p.attempt, p.leave = nevers(info.People), nevers(info.People)
	}
	return p
}

func nevers(count int64) []int64 {
	made := make([]int64, count)
	for index := range made {
		made[index] = never
	}
	return made
}

// A fold holds the counts of one partition up to next, the offset of the next record.
type fold struct {
	info         *runInfo
	decoder      *decoder
	topic        string
	partition    int32
	names, kinds []string
	kind         map[string]int
	people       *people
	counts       []int32                  // by window, name and kind
	labels       map[int]map[string]int32 // by row: counts of hashtags, durations and breakdowns
	dirty        []bool                   // by row
	changed      []int
	next, taken  int64
	watermark    int64
	ended        bool

	events, duplicates, deadLetters int64
	lower                           []byte
}

func newFold(info *runInfo, topic string, partition int32, people *people) *fold {
	f := &fold{
		info: info, decoder: newDecoder(info, topic), topic: topic, partition: partition, people: people,
		names: info.names(topic), kinds: audienceKinds, kind: map[string]int{}, labels: map[int]map[string]int32{}, watermark: never,
	}
	if topic == tweets {
		f.kinds = reactionKinds
	}
	for index, kind := range f.kinds {
		f.kind[kind] = index
	}
	rows := int(info.windows()) * len(f.names)
	f.counts, f.dirty = make([]int32, rows*len(f.kinds)), make([]bool, rows)
	return f
}

// step takes one record; it returns why the record is put aside, empty where it is not.
func (f *fold) step(raw []byte, offset int64) string {
	f.next = offset + 1
	event, mark, reason := f.decoder.decode(raw)
	switch {
	case reason != "":
		f.deadLetters++
	case mark != nil:
		f.watermark = max(f.watermark, mark.at)
		f.ended = f.ended || mark.end
	case f.people.seen[event.id/64]&(1<<(event.id%64)) != 0:
		f.duplicates++
	default:
		f.people.seen[event.id/64] |= 1 << (event.id % 64)
		f.events++
		if f.topic == presence {
			f.presence(event)
		} else {
			f.tweet(event)
		}
	}
	return reason
}

func (f *fold) presence(e *event) {
	row := f.row(e.at, e.space)
	switch e.kind {
	case "attempt":
		f.add(row, "attempts", 1)
		if e.try == 1 {
			f.add(row, "arrivals", 1)
		}
		f.move(e, f.people.attempt)
	case "join":
		f.add(row, "joins", 1)
		f.label(row, "joins_by_client:"+e.client, 1)
		if 0 <= e.since && e.since <= rejoinWithin {
			f.add(row, "rejoins_60s", 1)
		}
		if e.since >= 0 {
			f.label(row, inBin(timeToRejoin, e.since), 1)
		}
		f.first(e, e.space, "first_joins")
		end, count := f.endOfWait(e.person)
		f.first(e, len(f.names)-1, "first_joins")
		f.movedWait(e.person, end, count)
	case "fail":
		f.add(row, "fails", 1)
		f.label(row, "fails_by_client:"+e.client, 1)
		f.label(row, "fails_by_reason:"+e.reason, 1)
	case "drop":
		f.add(row, "drops", 1)
		f.label(row, "drops_by_client:"+e.client, 1)
		f.label(row, "drops_by_reason:"+e.reason, 1)
	case "leave":
		if e.gaveUp {
			f.add(row, "give_ups", 1)
		} else {
			f.add(row, "leaves", 1)
			f.label(row, "leaves_by_client:"+e.client, 1)
		}
		f.move(e, f.people.leave)
	}
}

// move notes an earlier attempt or leave and moves the listener's wait.
func (f *fold) move(e *event, earliest []int64) {
	if known := earliest[e.person]; known != never && known <= e.at {
		return
	}
	before := f.wait(e.person)
	end, count := f.endOfWait(e.person)
	earliest[e.person] = e.at
	f.moved(before, f.wait(e.person), len(f.names)-1, "waited_20m")
	f.movedWait(e.person, end, count)
}

// endOfWait returns when a person's first wait ended, or never, and the count of durations that holds it.
func (f *fold) endOfWait(person int64) (int64, string) {
	attempt, leave := f.people.attempt[person], f.people.leave[person]
	join := f.people.first[len(f.names)-1][person]
	switch {
	case attempt == never:
	case join != never && attempt <= join && (leave == never || join <= leave):
		return join, inBin(timeToJoin, join-attempt)
	case leave != never && attempt <= leave && (join == never || leave < join):
		return leave, inBin(timeToExit, leave-attempt)
	}
	return never, ""
}

// movedWait moves a person from the duration that was believed to the one that is known now.
func (f *fold) movedWait(person, before int64, count string) {
	after, now := f.endOfWait(person)
	if before == after && count == now {
		return
	}
	if before != never {
		f.label(f.row(before, len(f.names)-1), count, -1)
	}
	if after != never {
		f.label(f.row(after, len(f.names)-1), now, 1)
	}
}

// wait returns the time at which a person had waited 20 minutes, or never.
func (f *fold) wait(person int64) int64 {
	attempt, leave := f.people.attempt[person], f.people.leave[person]
	due := attempt + waited
	if attempt == never || due > f.info.TalkStart || leave != never && leave <= due {
		return never
	}
	return due
}

func (f *fold) tweet(e *event) {
	subject := f.subject(e)
	row := f.row(e.at, subject)
	f.add(row, e.kind, 1)
	for index, tag := range e.hashtags {
		if !in(tag, e.hashtags[:index]) {
			f.label(row, "hashtag:"+string(tag), 1)
		}
	}
	if e.kind == "reposts" && f.info.Thread != "" && string(e.conversation) == f.info.Thread {
		f.add(row, "thread_reposts", 1)
	}
	f.first(e, subject, "first_authors")
	f.first(e, len(f.names)-1, "first_authors")
}

func in(tag []byte, tags [][]byte) bool {
	for _, one := range tags {
		if bytes.Equal(one, tag) {
			return true
		}
	}
	return false
}

// subject returns the index of the subject of the first rule that matches, else that of "other".
func (f *fold) subject(e *event) int {
	f.lower = append(f.lower[:0], e.text...)
	for index, letter := range f.lower {
		if 'A' <= letter && letter <= 'Z' {
			f.lower[index] = letter + 'a' - 'A'
		}
	}
	for _, rule := range f.info.Subjects {
		if f.matches(e, &rule) {
			for index, name := range f.names {
				if name == rule.Subject {
					return index
				}
			}
		}
	}
	return len(f.names) - 2
}

func (f *fold) matches(e *event, rule *subjectRule) bool {
	for _, conversation := range rule.Conversations {
		if string(e.conversation) == conversation {
			return true
		}
	}
	for _, tag := range rule.Hashtags {
		for _, one := range e.hashtags {
			if string(one) == tag {
				return true
			}
		}
	}
	for _, word := range rule.Words {
		if bytes.Contains(f.lower, []byte(word)) {
			return true
		}
	}
	return false
}

// first keeps the earliest time of a person under a name; the person counts in the window of that time alone.
func (f *fold) first(e *event, name int, count string) {
	known := f.people.first[name][e.person]
	if known != never && known <= e.at {
		return
	}
	f.people.first[name][e.person] = e.at
	f.moved(known, e.at, name, count)
}

func (f *fold) moved(before, after int64, name int, count string) {
	if before != never && after != never && f.info.window(before) == f.info.window(after) {
		return
	}
	if before != never {
		f.add(f.row(before, name), count, -1)
	}
	if after != never {
		f.add(f.row(after, name), count, 1)
	}
}

func (f *fold) row(at int64, name int) int {
	return int(f.info.window(at))*len(f.names) + name
}

func (f *fold) touch(row int) {
	if !f.dirty[row] {
		f.dirty[row] = true
		f.changed = append(f.changed, row)
	}
}

func (f *fold) add(row int, kind string, by int32) {
	f.counts[row*len(f.kinds)+f.kind[kind]] += by
	f.touch(row)
}

// label adds to a count that few rows have: of a hashtag, a bin of durations, a client or a reason.
func (f *fold) label(row int, label string, by int32) {
	counts := f.labels[row]
	if counts == nil {
		counts = map[string]int32{}
		f.labels[row] = counts
	}
	counts[label] += by
	f.touch(row)
}

// take calls result with the key's window and name and the counts of every row changed since the last call.
func (f *fold) take(result func(window int64, name string, counts []byte)) {
	sort.Ints(f.changed)
	var counts []byte
	for _, row := range f.changed {
		f.dirty[row] = false
		counts = f.appendCounts(counts[:0], row)
		result(f.info.Start+int64(row/len(f.names))*f.info.WindowMs, f.names[row%len(f.names)], counts)
	}
	f.changed = f.changed[:0]
	f.taken = f.next
}

// appendCounts appends the counts of a row as a JSON object, zeros left out.
func (f *fold) appendCounts(to []byte, row int) []byte {
	to = append(to, '{')
	begin := len(to)
	add := func(name string, value int32) {
		if value == 0 {
			return
		}
		if len(to) > begin {
			to = append(to, ',')
		}
		to = append(append(to, quoted(name)...), ':')
		to = strconv.AppendInt(to, int64(value), 10)
	}
	for index, kind := range f.kinds {
		add(kind, f.counts[row*len(f.kinds)+index])
	}
	for label, value := range f.labels[row] {
		add(label, value)
	}
	return append(to, '}')
}

package main

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

const golden = "../../streams/golden"

// A line is one of input.jsonl or of expected.jsonl.
type line struct {
	Topic       string           `json:"topic"`
	Partition   int32            `json:"partition"`
	Value       json.RawMessage  `json:"value"`
	Base64      []byte           `json:"base64"`
	Reason      string           `json:"reason"`
	Window      int64            `json:"window"`
	Space       string           `json:"space"`
	Subject     string           `json:"subject"`
	Counts      map[string]int64 `json:"counts"`
	Input       string           `json:"input"`
	Events      int64            `json:"events"`
	Duplicates  int64            `json:"duplicates"`
	DeadLetters int64            `json:"dead_letters"`
}

type row struct {
	topic  string
	window int64
	name   string
}

func lines(t *testing.T, path string) []line {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var found []line
	for text := bufio.NewScanner(file); text.Scan(); {
		var one line
		if err := json.Unmarshal(text.Bytes(), &one); err != nil {
			t.Fatalf("%s: %v: %s", path, err, text.Text())
		}
		found = append(found, one)
	}
	return found
}

// TestGoldenNights: every count and total of the nights, taken after every record and at the end.
func TestGoldenNights(t *testing.T) {
	for _, night := range []string{"doors", "waiting", "thread", "entry", "edges"} {
		for _, every := range []int{1, 1000} {
			t.Run(night, func(t *testing.T) { play(t, filepath.Join(golden, night), every) })
		}
	}
}

func play(t *testing.T, folder string, every int) {
	raw, err := os.ReadFile(filepath.Join(folder, "info.json"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := parseRunInfo(raw)
	if err != nil {
		t.Fatal(err)
	}
	folds := map[place]*fold{}
	for _, topic := range []string{presence, tweets} {
		known := newPeople(info, topic)
		for partition := range info.Partitions {
			folds[place{topic, partition}] = newFold(info, topic, partition, known)
		}
	}
	shards := map[place]map[row]map[string]int64{}
	take := func(at place) {
		base := map[string]string{presence: "results.audience", tweets: "results.reaction"}[at.topic]
		if shards[at] == nil {
			shards[at] = map[row]map[string]int64{}
		}
		folds[at].take(func(window int64, name string, counts []byte) {
			var found map[string]int64
			if err := json.Unmarshal(counts, &found); err != nil {
				t.Fatalf("%s: %v", counts, err)
			}
			shards[at][row{base, window, name}] = found
		})
	}
	for number, record := range lines(t, filepath.Join(folder, "input.jsonl")) {
		at := place{record.Topic, record.Partition}
		if reason := folds[at].step(recordOf(record), int64(number)); reason != record.Reason {
			t.Errorf("%s: expected %q, found %q", recordOf(record), record.Reason, reason)
		}
		if number%every == 0 {
			take(at)
		}
	}
	found := map[row]map[string]int64{}
	for at, one := range folds {
		take(at)
		if !one.ended {
			t.Errorf("%v has not ended", at)
		}
		for key, counts := range shards[at] {
			for count, value := range counts {
				if found[key] == nil {
					found[key] = map[string]int64{}
				}
				found[key][count] += value
			}
		}
	}
	compare(t, lines(t, filepath.Join(folder, "expected.jsonl")), found, folds)
}

// recordOf returns the bytes of the record: those of its value, or what base64 stands for.
func recordOf(one line) []byte {
	if one.Base64 != nil {
		return one.Base64
	}
	return one.Value
}

func compare(t *testing.T, expected []line, found map[row]map[string]int64, folds map[place]*fold) {
	for _, one := range expected {
		if one.Topic == "results.progress" {
			var events, duplicates, deadLetters int64
			for at, fold := range folds {
				if at.topic == one.Input {
					events, duplicates, deadLetters = events+fold.events, duplicates+fold.duplicates, deadLetters+fold.deadLetters
				}
			}
			if events != one.Events || duplicates != one.Duplicates || deadLetters != one.DeadLetters {
				t.Errorf("%s: expected %d, %d, %d; found %d, %d, %d", one.Input,
					one.Events, one.Duplicates, one.DeadLetters, events, duplicates, deadLetters)
			}
			continue
		}
		key := row{one.Topic, one.Window, one.Space + one.Subject}
		if !maps.Equal(found[key], one.Counts) {
			t.Errorf("%v: expected %v, found %v", key, one.Counts, found[key])
		}
		delete(found, key)
	}
	for key, counts := range found {
		for count, value := range counts {
			if value != 0 {
				t.Errorf("%v: unexpected %s=%d", key, count, value)
			}
		}
	}
}

// TestWhatIsNoEvent: the reason for every kind of invalid record, whatever its spelling.
func TestWhatIsNoEvent(t *testing.T) {
	info := &runInfo{Run: "r1", Events: 10, People: 5, Start: 1000, End: 9000, WindowMs: 1000, Spaces: []string{"room-a"}}
	valid := `{"v":1,"event_id":0,"at":1000,"kind":"join","listener":0,"space":"room-a","client":"web","try":1}`
	for text, reason := range map[string]string{
		valid: "",
		` { "client" : "w\u0065b", "v":1 , "kind":"jo\u0069n","listener":0,"x":[{},1.5e3],"space":"room-a","try":1,"at":1000,"event_id":0}`: "",
		`{"mark":"end","at":1000,"run":"r1","v":1,"events":3}`:                                                                              "",
		`{"mark":"end","at":1000,"run":"r2","v":1}`:                                                                                         outOfRange,
		`{"mark":"stop","at":1000,"run":"r1","v":1}`:                                                                                        wrongShape,
		`{"v":2}`:            wrongVersion,
		`{}`:                 wrongShape,
		`[1]`:                wrongShape,
		`7`:                  wrongShape,
		``:                   notJSON,
		`{"v":1,}`:           notJSON,
		`{"v":01}`:           notJSON,
		valid + `x`:          notJSON,
		"{\"v\":\"\xff\"}":   notJSON,
		"{\"v\":\"a\nb\"}":   notJSON,
		`{"v":"\q"}`:         notJSON,
		valid[:len(valid)-1]: notJSON,
	} {
		if _, _, found := newDecoder(info, presence).decode([]byte(text)); found != reason {
			t.Errorf("%s: expected %q, found %q", text, reason, found)
		}
	}
}

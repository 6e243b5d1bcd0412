package main

import (
	"encoding/json"
	"fmt"
)

const (
	presence = "space.presence"
	tweets   = "tweets"
	other    = "other"
	everyone = "*"
)

// subjectRule says which tweets belong to a subject.
type subjectRule struct {
	Subject       string   `json:"subject"`
	Conversations []string `json:"conversations"`
	Hashtags      []string `json:"hashtags"`
	Words         []string `json:"words"`
}

// runInfo is the record of run.info, as far as this engine needs it.
type runInfo struct {
	Run        string            `json:"run"`
	Events     int64             `json:"events"`
	People     int64             `json:"people"`
	Start      int64             `json:"start"`
	End        int64             `json:"end"`
	TalkStart  int64             `json:"talk_start"`
	WindowMs   int64             `json:"window_ms"`
	Spaces     []string          `json:"spaces"`
	Thread     string            `json:"thread"`
	Subjects   []subjectRule     `json:"subjects"`
	Partitions int32             `json:"partitions"`
	Topics     map[string]string `json:"topics"`
}

func parseRunInfo(raw []byte) (*runInfo, error) {
	info := &runInfo{}
	if err := json.Unmarshal(raw, info); err != nil {
		return nil, fmt.Errorf("JOINSTORM_RUN_INFO: %w", err)
	}
	return info, nil
}

// windows returns how many windows can hold an event or a wait.
func (info *runInfo) windows() int64 {
	return (info.End-info.Start)/info.WindowMs + 1
}

func (info *runInfo) window(at int64) int64 {
	return (at - at%info.WindowMs - info.Start) / info.WindowMs
}

// names returns the spaces or subjects of a topic, the one for all of them last.
func (info *runInfo) names(topic string) []string {
	if topic == presence {
		return append(append([]string{}, info.Spaces...), everyone)
	}
	var found []string
	seen := map[string]bool{other: true}
	for _, rule := range info.Subjects {
		if !seen[rule.Subject] {
			found = append(found, rule.Subject)
			seen[rule.Subject] = true
		}
	}
	return append(found, other, everyone)
}

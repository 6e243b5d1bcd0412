// Command engine counts the night of joinstorm; docs/adding-an-engine.md specifies what it reads and writes.
//
// It keeps nothing: a restart reads again from offset 0, and the next source offset is the version of every result.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const publishEvery = 200 * time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

type place struct {
	topic     string
	partition int32
}

type engine struct {
	info   *runInfo
	name   string
	client *kgo.Client
	folds  map[place]*fold
	order  []*fold
	failed atomic.Pointer[error]
}

func run(ctx context.Context) error {
	info, err := parseRunInfo([]byte(os.Getenv("JOINSTORM_RUN_INFO")))
	if err != nil {
		return err
	}
	e := &engine{info: info, name: os.Getenv("JOINSTORM_ENGINE"), folds: map[place]*fold{}}
	offsets := map[string]map[int32]kgo.Offset{}
	for _, base := range []string{presence, tweets} {
		topic, known := info.Topics[base], newPeople(info, base)
		offsets[topic] = map[int32]kgo.Offset{}
		for partition := range info.Partitions {
			offsets[topic][partition] = kgo.NewOffset().AtStart()
			one := newFold(info, base, partition, known)
			e.folds[place{topic, partition}], e.order = one, append(e.order, one)
		}
	}
	e.client, err = kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("JOINSTORM_BOOTSTRAP_SERVERS"), ",")...),
		kgo.ConsumePartitions(offsets),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxPartitionBytes(4<<20),
		kgo.FetchMaxWait(50*time.Millisecond),
		kgo.ProducerBatchMaxBytes(1<<20),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
	)
	if err != nil {
		return err
	}
	defer e.client.Close()
	return e.count(ctx)
}

// count reads and publishes until every partition has ended.
func (e *engine) count(ctx context.Context) error {
	published := time.Now()
	for {
		poll, cancel := context.WithTimeout(ctx, publishEvery)
		fetches := e.client.PollFetches(poll)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, failed := range fetches.Errors() {
			if !errors.Is(failed.Err, context.DeadlineExceeded) {
				return fmt.Errorf("%s[%d]: %w", failed.Topic, failed.Partition, failed.Err)
			}
		}
		fetches.EachPartition(func(read kgo.FetchTopicPartition) {
			one := e.folds[place{read.Topic, read.Partition}]
			for _, record := range read.Records {
				if reason := one.step(record.Value, record.Offset); reason != "" {
					e.putAside(record, reason)
				}
			}
		})
		ended := e.ended()
		if ended || time.Since(published) >= publishEvery {
			if err := e.publish(ctx); err != nil {
				return err
			}
			published = time.Now()
		}
		if ended {
			return nil
		}
	}
}

func (e *engine) ended() bool {
	for _, one := range e.order {
		if !one.ended {
			return false
		}
	}
	return true
}

// publish writes the changed rows, and their progress once the broker has them.
func (e *engine) publish(ctx context.Context) error {
	var moved []*fold
	for _, one := range e.order {
		if one.taken < one.next {
			e.results(ctx, one)
			moved = append(moved, one)
		}
	}
	if err := e.flush(ctx); err != nil {
		return err
	}
	for _, one := range moved {
		e.progress(ctx, one)
	}
	return e.flush(ctx)
}

func (e *engine) flush(ctx context.Context) error {
	if err := e.client.Flush(ctx); err != nil {
		return err
	}
	if failed := e.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

func (e *engine) results(ctx context.Context, one *fold) {
	base, column := "results.audience", "space"
	if one.topic == tweets {
		base, column = "results.reaction", "subject"
	}
	run, name, shard := quoted(e.info.Run), quoted(e.name), quoted(strconv.Itoa(int(one.partition)))
	one.take(func(window int64, row string, counts []byte) {
		at := strconv.FormatInt(window, 10)
		key := "[" + run + "," + name + "," + at + "," + quoted(row) + "," + shard + "]"
		value := `{"v":1,"run":` + run + `,"engine":` + name + `,"window":` + at + `,"` + column + `":` + quoted(row) +
			`,"shard":` + shard + `,"version":` + strconv.FormatInt(one.next, 10) + `,"counts":` + string(counts) + "}"
		e.send(ctx, &kgo.Record{Topic: e.info.Topics[base], Key: []byte(key), Value: []byte(value)})
	})
}

func (e *engine) progress(ctx context.Context, one *fold) {
	shard := strconv.Itoa(int(one.partition))
	key, _ := json.Marshal([]string{e.info.Run, e.name, one.topic, shard})
	var watermark *int64
	if one.watermark != never {
		watermark = &one.watermark
	}
	value, _ := json.Marshal(map[string]any{
		"v": 1, "run": e.info.Run, "engine": e.name, "topic": one.topic, "shard": shard,
		"partitions": []int32{one.partition}, "version": one.next, "watermark": watermark, "ended": one.ended,
		"events": one.events, "duplicates": one.duplicates, "dead_letters": one.deadLetters,
	})
	e.send(ctx, &kgo.Record{Topic: e.info.Topics["results.progress"], Key: key, Value: value})
}

func (e *engine) putAside(record *kgo.Record, reason string) {
	source := fmt.Sprintf("%s[%d]@%d", record.Topic, record.Partition, record.Offset)
	e.send(context.Background(), &kgo.Record{
		Topic: e.info.Topics["dead-letters"], Key: []byte(source), Value: record.Value,
		Headers: []kgo.RecordHeader{{Key: "reason", Value: []byte(reason)}, {Key: "source", Value: []byte(source)}},
	})
}

// send hands a record to the client; an error of its delivery ends the engine at the next flush.
func (e *engine) send(ctx context.Context, record *kgo.Record) {
	e.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
		if err != nil {
			e.failed.CompareAndSwap(nil, &err)
		}
	})
}

var quotes = map[string]string{}

// quoted returns a string as JSON.
func quoted(text string) string {
	known, found := quotes[text]
	if !found {
		encoded, _ := json.Marshal(text)
		known = string(encoded)
		if len(quotes) < 10_000 {
			quotes[text] = known
		}
	}
	return known
}

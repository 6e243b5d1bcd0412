package joinstorm;

import com.fasterxml.jackson.core.type.TypeReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Folds one partition of one input topic.
 *
 * <p>State is a function of the partition's records before the next offset, and that offset is the version of every
 * result. So an output of a transaction that was given up, which readers of results may see, says the same as the one
 * that follows it, or something older.
 */
final class FoldProcessor implements Processor<byte[], byte[], byte[], byte[]> {
  static final Duration PUBLISH = Duration.ofMillis(200);
  static final String RESULTS = "-results";
  static final String LETTERS = "-letters";
  private static final String HERE = "here";
  private static final byte[] COUNTED = {1};

  private final RunInfo info;
  private final String engine;
  private final String topic;
  private final Consumer<Progress> published;
  private final Decoder decoder;
  private final Counting counting;
  private final TreeSet<String> changed = new TreeSet<>();
  private ProcessorContext<byte[], byte[]> context;
  private KeyValueStore<Long, byte[]> seen;
  private KeyValueStore<Long, Person> people;
  private KeyValueStore<String, Map<String, Integer>> rows;
  private KeyValueStore<String, Progress> progressStore;
  private Progress progress;
  private boolean moved = true;

  /**
   * @param topic base name of the input topic
   * @param published told how far the results that were just handed on reach
   */
  FoldProcessor(RunInfo info, String engine, String topic, Consumer<Progress> published) {
    this.info = info;
    this.engine = engine;
    this.topic = topic;
    this.published = published;
    this.decoder = new Decoder(info);
    this.counting = new Counting(info);
  }

  /** The state of one input topic: event ids counted, people, rows of counts by {@code window|name}, and progress. */
  static List<StoreBuilder<?>> stores(String topic) {
    return List.of(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(topic + "-seen"), Serdes.Long(), Serdes.ByteArray())
            .withCachingEnabled(),
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(topic + "-people"),
                Serdes.Long(),
                Json.serde(new TypeReference<Person>() {}))
            .withCachingEnabled(),
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(topic + "-rows"),
                Serdes.String(),
                Json.serde(new TypeReference<Map<String, Integer>>() {}))
            .withCachingEnabled(),
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(topic + "-progress"),
                Serdes.String(),
                Json.serde(new TypeReference<Progress>() {}))
            .withCachingEnabled());
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    seen = context.getStateStore(topic + "-seen");
    people = context.getStateStore(topic + "-people");
    rows = context.getStateStore(topic + "-rows");
    progressStore = context.getStateStore(topic + "-progress");
    Progress known = progressStore.get(HERE);
    progress = known != null ? known : Progress.nothing(info.run(), engine, topic, context.taskId().partition());
    // What was changed and not yet written when the worker before ended: nobody knows, so everything is written again.
    try (KeyValueIterator<String, Map<String, Integer>> all = rows.all()) {
      all.forEachRemaining(row -> changed.add(row.key));
    }
    context.schedule(PUBLISH, PunctuationType.WALL_CLOCK_TIME, now -> publish());
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    RecordMetadata source = context.recordMetadata().orElseThrow();
    try {
      Event event = decoder.decode(topic, record.value());
      if (event instanceof Event.Mark mark) {
        progress = progress.marked(mark);
      } else if (event instanceof Event.Counted counted) {
        count(counted);
      }
    } catch (Decoder.ForeignRecord foreign) {
      putAside(record, foreign.getMessage(), source);
      progress = progress.counted(0, 0, 1);
    }
    progress = progress.at(source.offset() + 1);
    progressStore.put(HERE, progress);
    moved = true;
  }

  private void count(Event.Counted event) {
    if (seen.putIfAbsent(event.id(), COUNTED) != null) {
      progress = progress.counted(0, 1, 0);
      return;
    }
    progress = progress.counted(1, 0, 0);
    Person known = people.get(event.person());
    Person person = known != null ? known : Person.unknown();
    for (Counting.Change change : counting.changes(person, event)) {
      String row = change.window() + "|" + change.name();
      Map<String, Integer> counts = rows.get(row);
      counts = counts != null ? counts : new TreeMap<>();
      counts.merge(change.count(), change.by(), Integer::sum);
      rows.put(row, counts);
      changed.add(row);
    }
    people.put(event.person(), person);
  }

  private void putAside(Record<byte[], byte[]> record, String reason, RecordMetadata from) {
    byte[] source = (from.topic() + "[" + from.partition() + "]@" + from.offset()).getBytes(StandardCharsets.UTF_8);
    RecordHeaders headers = new RecordHeaders();
    headers.add("reason", reason.getBytes(StandardCharsets.UTF_8));
    headers.add("source", source);
    context.forward(new Record<>(source, record.value(), context.currentSystemTimeMs(), headers), topic + LETTERS);
  }

  private void publish() {
    if (!moved) {
      return;
    }
    changed.forEach(this::write);
    changed.clear();
    moved = false;
    published.accept(progress);
  }

  private void write(String row) {
    int bar = row.indexOf('|');
    long window = Long.parseLong(row.substring(0, bar));
    String name = row.substring(bar + 1);
    Map<String, Integer> counts = new TreeMap<>(rows.get(row));
    counts.values().removeIf(count -> count == 0);
    byte[] key = Json.bytes(List.of(info.run(), engine, window, name, progress.shard()));
    Map<String, Object> value = new TreeMap<>();
    value.put("v", 1);
    value.put("run", info.run());
    value.put("engine", engine);
    value.put("window", window);
    value.put(topic.equals(RunInfo.PRESENCE) ? "space" : "subject", name);
    value.put("shard", progress.shard());
    value.put("version", progress.version());
    value.put("counts", counts);
    context.forward(new Record<>(key, Json.bytes(value), context.currentSystemTimeMs()), topic + RESULTS);
  }
}

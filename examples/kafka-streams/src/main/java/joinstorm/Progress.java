package joinstorm;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;

/** How far one partition is; stands in the state store as it is published. {@code version} is the next offset. */
@JsonPropertyOrder({"v", "run", "engine", "topic", "shard", "partitions", "version"})
record Progress(
    int v,
    String run,
    String engine,
    String topic,
    String shard,
    List<Integer> partitions,
    long version,
    Long watermark,
    boolean ended,
    long events,
    long duplicates,
    @JsonProperty("dead_letters") long deadLetters) {

  static Progress nothing(String run, String engine, String topic, int partition) {
    return new Progress(
        1, run, engine, topic, Integer.toString(partition), List.of(partition), 0, null, false, 0, 0, 0);
  }

  byte[] key() {
    return Json.bytes(List.of(run, engine, topic, shard));
  }

  Progress marked(Event.Mark mark) {
    long at = watermark == null ? mark.at() : Math.max(watermark, mark.at());
    return new Progress(
        v, run, engine, topic, shard, partitions, version, at, ended || mark.end(), events, duplicates, deadLetters);
  }

  Progress counted(long newEvents, long newDuplicates, long newLetters) {
    return new Progress(
        v, run, engine, topic, shard, partitions, version, watermark, ended,
        events + newEvents, duplicates + newDuplicates, deadLetters + newLetters);
  }

  /** The same as of a later record: offsets need not be dense. */
  Progress at(long offset) {
    return new Progress(
        v, run, engine, topic, shard, partitions, offset, watermark, ended, events, duplicates, deadLetters);
  }
}

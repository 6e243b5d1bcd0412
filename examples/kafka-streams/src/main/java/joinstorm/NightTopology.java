package joinstorm;

import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;

/** Two sub-topologies, one per input topic: source, fold, results. A task is one partition of one of them. */
final class NightTopology {
  private NightTopology() {}

  static Topology of(RunInfo info, String engine, Consumer<Progress> published) {
    Topology topology = new Topology();
    add(topology, info, engine, RunInfo.PRESENCE, RunInfo.AUDIENCE, published);
    add(topology, info, engine, RunInfo.TWEETS, RunInfo.REACTION, published);
    return topology;
  }

  private static void add(
      Topology topology, RunInfo info, String engine, String input, String results, Consumer<Progress> published) {
    ByteArrayDeserializer read = new ByteArrayDeserializer();
    ByteArraySerializer write = new ByteArraySerializer();
    StreamPartitioner<byte[], byte[]> theOnlyOne =
        (topic, key, value, partitions) -> Optional.of(Set.of(0));
    String fold = input + "-fold";
    topology.addSource(AutoOffsetReset.earliest(), input, read, read, info.topics().get(input));
    topology.addProcessor(fold, () -> new FoldProcessor(info, engine, input, published), input);
    FoldProcessor.stores(input).forEach(store -> topology.addStateStore(store, fold));
    topology.addSink(
        input + FoldProcessor.RESULTS, info.topics().get(results), write, write, theOnlyOne, fold);
    topology.addSink(
        input + FoldProcessor.LETTERS, info.topics().get(RunInfo.DEAD_LETTERS), write, write, theOnlyOne, fold);
  }
}

package joinstorm;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes progress after the results it speaks of.
 *
 * <p>Results and offsets are committed in one transaction: when the committed offset of a partition has reached the
 * version of a progress, its results are on their topics. A topology alone cannot say that, for nothing orders what it
 * writes to several topics.
 */
final class ProgressPublisher implements AutoCloseable {
  private static final long LOOK_MS = 100;

  private final RunInfo info;
  private final String group;
  private final Admin admin;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Map<TopicPartition, Progress> waiting = new ConcurrentHashMap<>();
  private final Map<TopicPartition, Progress> held = new HashMap<>();
  private final Thread thread = new Thread(this::run, "progress");

  ProgressPublisher(RunInfo info, String group, Map<String, Object> clients) {
    this.info = info;
    this.group = group;
    this.admin = Admin.create(clients);
    this.producer = new KafkaProducer<>(clients, new ByteArraySerializer(), new ByteArraySerializer());
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Takes what a fold has handed on; called by the stream threads. */
  void take(Progress progress) {
    waiting.put(new TopicPartition(info.topics().get(progress.topic()), progress.partitions().get(0)), progress);
  }

  private void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(LOOK_MS);
        look();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException error) {
        if (!(error.getCause() instanceof RetriableException)) {
          System.err.println("progress: " + error.getCause());
        }
      }
    }
  }

  private void look() throws ExecutionException, InterruptedException {
    for (TopicPartition partition : waiting.keySet()) {
      // The oldest one is held until it is committed; else a busy partition would never be reported.
      held.computeIfAbsent(partition, waiting::remove);
    }
    if (held.isEmpty()) {
      return;
    }
    Map<TopicPartition, OffsetAndMetadata> committed =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    held.entrySet().removeIf(entry -> written(entry.getValue(), committed.get(entry.getKey())));
  }

  private boolean written(Progress progress, OffsetAndMetadata committed) {
    if (committed == null || committed.offset() < progress.version()) {
      return false;
    }
    producer.send(new ProducerRecord<>(info.topics().get(RunInfo.PROGRESS), 0, progress.key(), Json.bytes(progress)));
    return true;
  }

  @Override
  public void close() {
    thread.interrupt();
    producer.close();
    admin.close();
  }
}

package joinstorm;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** One worker: counts the night that the environment tells of, until it is told to stop. */
public final class App {
  private static final Duration CLOSE = Duration.ofSeconds(8);

  private App() {}

  /** Runs until SIGTERM; whoever has started this program sees by the progress when the night is over. */
  public static void main(String[] arguments) throws InterruptedException {
    Map<String, String> environment = System.getenv();
    RunInfo info = RunInfo.parse(environment.get("JOINSTORM_RUN_INFO"));
    String engine = environment.get("JOINSTORM_ENGINE");
    String application = info.prefix() + info.run() + "." + engine;
    Map<String, Object> clients = new HashMap<>();
    clients.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, environment.get("JOINSTORM_BOOTSTRAP_SERVERS"));

    CountDownLatch over = new CountDownLatch(1);
    boolean[] failed = {false};
    try (ProgressPublisher publisher = new ProgressPublisher(info, application, clients);
        KafkaStreams streams =
            new KafkaStreams(
                NightTopology.of(info, engine, publisher::take), settings(environment, application, clients))) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            failed[0] = true;
            over.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(CLOSE)));
      streams.start();
      publisher.start();
      over.await();
    }
    System.exit(failed[0] ? 1 : 0);
  }

  private static Properties settings(
      Map<String, String> environment, String application, Map<String, Object> clients) {
    Properties settings = new Properties();
    settings.putAll(clients);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, environment.get("JOINSTORM_STATE_DIR"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, -1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2_000);
    String worker = environment.getOrDefault("JOINSTORM_WORKER", "");
    if (!worker.isEmpty()) { // a worker started again takes its own place at once
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), "worker-" + worker);
    }
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
    // Changelog records carry the time of the input record, which may lie in any year.
    settings.put(StreamsConfig.topicPrefix(TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG), Long.MAX_VALUE);
    settings.put(StreamsConfig.topicPrefix(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG), Long.MAX_VALUE);
    return settings;
  }
}

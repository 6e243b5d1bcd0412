package joinstorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The golden nights of joinstorm, without Kafka: every count as it was worked out by hand. */
class GoldenNightsTest {
  private static final Path NIGHTS =
      Path.of(System.getProperty("golden", "../../streams/golden")).toAbsolutePath().normalize();

  @TempDir Path state;

  @ParameterizedTest
  @ValueSource(strings = {"doors", "waiting", "thread", "entry", "edges"})
  void countsTheNightAsWorkedOutByHand(String night) throws IOException {
    run(night, lines(night, "input.jsonl"), Map.of());
  }

  /** All events come again, under another person and time: the first record of an event id counts. */
  @ParameterizedTest
  @ValueSource(strings = {"doors", "waiting", "thread", "entry"})
  void countsTheFirstRecordOfAnEventId(String night) throws IOException {
    List<JsonNode> records = lines(night, "input.jsonl");
    Map<String, Long> again = new HashMap<>();
    for (JsonNode record : List.copyOf(records)) {
      if (record.get("value").has("event_id")) {
        ObjectNode other = record.deepCopy();
        ((ObjectNode) other.get("value"))
            .put(record.get("value").has("listener") ? "listener" : "author", 0)
            .set("at", records.get(0).get("value").get("at"));
        records.add(other);
        again.merge(record.get("topic").asText(), 1L, Long::sum);
      }
    }
    run(night, records, again);
  }

  private void run(String night, List<JsonNode> records, Map<String, Long> again) throws IOException {
    RunInfo info = RunInfo.parse(Files.readString(NIGHTS.resolve(night).resolve("info.json")));
    Map<String, Progress> progress = new HashMap<>();
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "golden");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    try (TopologyTestDriver driver =
        new TopologyTestDriver(
            NightTopology.of(info, "kafka-streams", one -> progress.put(one.topic(), one)), settings)) {
      play(driver, info, records);
      driver.advanceWallClockTime(Duration.ofSeconds(1));
      compare(driver, info, lines(night, "expected.jsonl"), again, progress);
    }
  }

  private static List<JsonNode> lines(String night, String file) throws IOException {
    List<JsonNode> found = new ArrayList<>();
    for (String line : Files.readAllLines(NIGHTS.resolve(night).resolve(file))) {
      found.add(Json.MAPPER.readTree(line));
    }
    assertFalse(found.isEmpty());
    return found;
  }

  /** The driver has one partition a topic: all records go there, as all events of a person stay in order. */
  private static void play(TopologyTestDriver driver, RunInfo info, List<JsonNode> records) {
    Map<String, TestInputTopic<byte[], byte[]>> topics = new HashMap<>();
    for (String base : List.of(RunInfo.PRESENCE, RunInfo.TWEETS)) {
      topics.put(
          base,
          driver.createInputTopic(info.topics().get(base), new ByteArraySerializer(), new ByteArraySerializer()));
    }
    for (JsonNode record : records) {
      byte[] key = record.get("key").isNull() ? null : record.get("key").asText().getBytes(StandardCharsets.UTF_8);
      topics.get(record.get("topic").asText()).pipeInput(key, bytesOf(record));
    }
  }

  /** A record that is not JSON stands there in Base64. */
  private static byte[] bytesOf(JsonNode record) {
    return record.has("base64")
        ? Base64.getDecoder().decode(record.get("base64").asText())
        : Json.bytes(record.get("value"));
  }

  private static void compare(
      TopologyTestDriver driver,
      RunInfo info,
      List<JsonNode> expected,
      Map<String, Long> again,
      Map<String, Progress> progress) {
    Map<String, Map<String, Integer>> counted = new TreeMap<>();
    for (String base : List.of(RunInfo.AUDIENCE, RunInfo.REACTION)) {
      driver
          .createOutputTopic(info.topics().get(base), new ByteArrayDeserializer(), new ByteArrayDeserializer())
          .readKeyValuesToList()
          .forEach(record -> put(counted, base, Json.read(record.value, new TypeReference<JsonNode>() {})));
    }
    counted.values().removeIf(Map::isEmpty);
    Map<String, Map<String, Integer>> wanted = new TreeMap<>();
    for (JsonNode line : expected) {
      if (line.has("counts")) {
        put(wanted, line.get("topic").asText(), line);
      } else {
        String input = line.get("input").asText();
        Progress found = progress.get(input);
        assertTrue(found.ended());
        assertEquals(line.get("events").asLong(), found.events());
        assertEquals(line.get("duplicates").asLong() + again.getOrDefault(input, 0L), found.duplicates());
        assertEquals(line.get("dead_letters").asLong(), found.deadLetters());
      }
    }
    assertEquals(wanted, counted);
  }

  private static void put(Map<String, Map<String, Integer>> table, String base, JsonNode row) {
    String name = row.has("space") ? row.get("space").asText() : row.get("subject").asText();
    table.put(
        base + "|" + row.get("window").asLong() + "|" + name,
        Json.MAPPER.convertValue(row.get("counts"), new TypeReference<TreeMap<String, Integer>>() {}));
  }
}

package joinstorm;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.Set;

/** Turns records into events, and tells those that are none of ours. */
final class Decoder {
  private static final long MAX_EXACT = 1L << 53;
  private static final Set<String> PRESENCE_KINDS = Set.of("attempt", "join", "fail", "leave", "drop");
  private static final Set<String> TWEET_KINDS = Set.of("post", "reply", "quote", "repost");

  private final RunInfo info;

  Decoder(RunInfo info) {
    this.info = info;
  }

  /** A record that is put aside; {@code reason} is one of the contract's four. */
  static final class ForeignRecord extends Exception {
    private static final long serialVersionUID = 1;

    ForeignRecord(String reason) {
      super(reason);
    }
  }

  Event decode(String topic, byte[] raw) throws ForeignRecord {
    JsonNode json = parse(raw);
    require(json.isObject(), "wrong_shape");
    JsonNode version = json.path("v");
    require(version.isMissingNode() || version.isIntegralNumber() && version.asLong() == 1, "wrong_version");
    require(!version.isMissingNode(), "wrong_shape");
    Event.Counted event;
    try {
      event = topic.equals(RunInfo.PRESENCE) ? presence(json) : tweet(json);
    } catch (ForeignRecord noEvent) {
      if (json.has("mark")) {
        return mark(json);
      }
      throw noEvent;
    }
    require(ofThisRun(event), "out_of_range");
    return event;
  }

  private boolean ofThisRun(Event.Counted event) {
    return event.id() < info.events()
        && event.person() < info.people()
        && event.at() >= info.start()
        && event.at() <= info.end()
        && (!(event instanceof Event.Presence presence) || info.spaces().contains(presence.space()));
  }

  private static JsonNode parse(byte[] raw) throws ForeignRecord {
    try {
      // Jackson itself would take bytes that are not UTF-8, and a byte order mark.
      JsonNode json = raw == null ? null : Json.MAPPER.readTree(UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString());
      require(json != null && !json.isMissingNode(), "not_json");
      return json;
    } catch (IOException error) {
      throw new ForeignRecord("not_json");
    }
  }

  private Event.Mark mark(JsonNode json) throws ForeignRecord {
    String kind = text(json, "mark");
    require(kind.equals("watermark") || kind.equals("end"), "wrong_shape");
    long at = number(json, "at");
    if (json.hasNonNull("events")) {
      number(json, "events");
    }
    require(text(json, "run").equals(info.run()), "out_of_range");
    return new Event.Mark(at, kind.equals("end"));
  }

  private static Event.Presence presence(JsonNode json) throws ForeignRecord {
    String kind = text(json, "kind");
    require(PRESENCE_KINDS.contains(kind), "wrong_shape");
    long attempt = number(json, "try");
    require(attempt >= 1, "wrong_shape");
    String reason = json.hasNonNull("reason") ? text(json, "reason") : null;
    long sinceDrop = json.hasNonNull("since_drop_ms") ? number(json, "since_drop_ms") : -1;
    return new Event.Presence(
        number(json, "event_id"), number(json, "at"), kind, number(json, "listener"), text(json, "space"),
        text(json, "client"), attempt, reason, sinceDrop);
  }

  private static Event.Tweet tweet(JsonNode json) throws ForeignRecord {
    String kind = text(json, "kind");
    require(TWEET_KINDS.contains(kind), "wrong_shape");
    text(json, "tweet_id");
    text(json, "lang");
    if (json.hasNonNull("ref")) {
      text(json, "ref");
    }
    return new Event.Tweet(
        number(json, "event_id"), number(json, "at"), kind, number(json, "author"), text(json, "conversation"),
        text(json, "text"), hashtags(json.path("hashtags")));
  }

  private static Set<String> hashtags(JsonNode list) throws ForeignRecord {
    require(list.isMissingNode() || list.isArray(), "wrong_shape");
    Set<String> found = new LinkedHashSet<>();
    for (JsonNode one : list) {
      require(one.isTextual(), "wrong_shape");
      found.add(one.textValue());
    }
    return found;
  }

  private static String text(JsonNode json, String field) throws ForeignRecord {
    require(json.path(field).isTextual(), "wrong_shape");
    return json.get(field).textValue();
  }

  private static long number(JsonNode json, String field) throws ForeignRecord {
    JsonNode found = json.path(field);
    require(found.isIntegralNumber() && found.canConvertToLong(), "wrong_shape");
    require(found.longValue() >= 0 && found.longValue() < MAX_EXACT, "wrong_shape");
    return found.longValue();
  }

  private static void require(boolean holds, String reason) throws ForeignRecord {
    if (!holds) {
      throw new ForeignRecord(reason);
    }
  }
}

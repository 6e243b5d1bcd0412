package joinstorm;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** What of the record of {@code run.info} is needed here. */
record RunInfo(
    String run,
    String prefix,
    long events,
    long people,
    int partitions,
    long start,
    long end,
    List<String> spaces,
    @JsonProperty("window_ms") long windowMs,
    @JsonProperty("talk_start") long talkStart,
    String thread,
    List<SubjectRule> subjects,
    Map<String, String> topics) {

  static final String PRESENCE = "space.presence";
  static final String TWEETS = "tweets";
  static final String AUDIENCE = "results.audience";
  static final String REACTION = "results.reaction";
  static final String PROGRESS = "results.progress";
  static final String DEAD_LETTERS = "dead-letters";

  static RunInfo parse(String json) {
    return Json.read(json.getBytes(StandardCharsets.UTF_8), new TypeReference<RunInfo>() {});
  }

  /** The start of the window that holds an event time. */
  long windowOf(long at) {
    return at - at % windowMs;
  }

  /** The subject of the first rule that holds, else {@code other}. */
  String subjectOf(Event.Tweet tweet) {
    String text = lowerCase(tweet.text());
    return subjects.stream()
        .filter(rule -> rule.holds(tweet, text))
        .map(SubjectRule::subject)
        .findFirst()
        .orElse("other");
  }

  /** A-Z in lower case and nothing else, as the contract wants it. */
  private static String lowerCase(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    text.chars().map(c -> c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c).forEach(c -> lower.append((char) c));
    return lower.toString();
  }

  record SubjectRule(String subject, List<String> conversations, List<String> hashtags, List<String> words) {
    SubjectRule {
      conversations = conversations == null ? List.of() : conversations;
      hashtags = hashtags == null ? List.of() : hashtags;
      words = words == null ? List.of() : words;
    }

    boolean holds(Event.Tweet tweet, String lowerText) {
      return conversations.contains(tweet.conversation())
          || hashtags.stream().anyMatch(tweet.hashtags()::contains)
          || words.stream().anyMatch(lowerText::contains);
    }
  }
}

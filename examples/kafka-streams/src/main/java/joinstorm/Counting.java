package joinstorm;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The counts of the contract: what one event changes, given what is known of its person.
 *
 * <p>Every count is a number of events, or of people by the earliest time of something. What was believed too early is
 * taken back, so the order of arrival cannot matter.
 */
final class Counting {
  static final String ALL = "*";
  private static final long WAITED_MS = 20 * 60_000;
  private static final long REJOIN_WITHIN_MS = 60_000;
  private static final Set<String> CLIENTS = Set.of("web", "ios", "android");
  private static final Set<String> REASONS =
      Set.of("overloaded", "room_closed", "connection_lost", "login_failed", "timed_out");

  private final RunInfo info;

  Counting(RunInfo info) {
    this.info = info;
  }

  /** {@code by} is added to one count of one row. */
  record Change(long window, String name, String count, int by) {}

  /** Takes an event into its person and returns what it changes; the event must not have been met before. */
  List<Change> changes(Person person, Event.Counted event) {
    List<Change> changes = new ArrayList<>();
    if (event instanceof Event.Presence presence) {
      presence(person, presence, changes);
    } else if (event instanceof Event.Tweet tweet) {
      tweet(person, tweet, changes);
    }
    return changes;
  }

  private void presence(Person person, Event.Presence event, List<Change> changes) {
    long window = info.windowOf(event.at());
    String plural = plural(event);
    changes.add(new Change(window, event.space(), plural, 1));
    breakdowns(plural, event).forEach(count -> changes.add(new Change(window, event.space(), count, 1)));
    switch (event.kind()) {
      case "attempt" -> {
        if (event.attempt() == 1) {
          changes.add(new Change(window, event.space(), "arrivals", 1));
        }
        timed(person, "attempt", event.at(), changes);
      }
      case "join" -> {
        if (event.sinceDropMs() >= 0 && event.sinceDropMs() <= REJOIN_WITHIN_MS) {
          changes.add(new Change(window, event.space(), "rejoins_60s", 1));
        }
        if (event.sinceDropMs() >= 0) {
          changes.add(new Change(window, event.space(), inBin("time_to_rejoin:", event.sinceDropMs()), 1));
        }
        Wait before = endOfWait(person);
        first(person, "join:", event.space(), "first_joins", event.at(), changes);
        moved(ALL, before, endOfWait(person), changes);
      }
      case "leave" -> timed(person, "leave", event.at(), changes);
      default -> {}
    }
  }

  private static String plural(Event.Presence event) {
    return switch (event.kind()) {
      case "attempt" -> "attempts";
      case "join" -> "joins";
      case "fail" -> "fails";
      case "drop" -> "drops";
      default -> "gave_up".equals(event.reason()) ? "give_ups" : "leaves";
    };
  }

  /** The counts of an event by client and by reason; what is not told apart counts as other. */
  private static List<String> breakdowns(String plural, Event.Presence event) {
    String reason = event.reason() == null || !REASONS.contains(event.reason()) ? "other" : event.reason();
    String byClient = plural + "_by_client:" + (CLIENTS.contains(event.client()) ? event.client() : "other");
    return switch (plural) {
      case "joins", "leaves" -> List.of(byClient);
      case "fails", "drops" -> List.of(byClient, plural + "_by_reason:" + reason);
      default -> List.of();
    };
  }

  private void tweet(Person person, Event.Tweet tweet, List<Change> changes) {
    String subject = info.subjectOf(tweet);
    long window = info.windowOf(tweet.at());
    String plural = tweet.kind().equals("reply") ? "replies" : tweet.kind() + "s";
    changes.add(new Change(window, subject, plural, 1));
    tweet.hashtags().forEach(tag -> changes.add(new Change(window, subject, "hashtag:" + tag, 1)));
    boolean inThread = !info.thread().isEmpty() && tweet.conversation().equals(info.thread());
    if (inThread && tweet.kind().equals("repost")) {
      changes.add(new Change(window, subject, "thread_reposts", 1));
    }
    first(person, "tweet:", subject, "first_authors", tweet.at(), changes);
  }

  /** Keeps the earliest time, under its own name and over all; the person counts in the window of that time alone. */
  private void first(Person person, String what, String name, String count, long at, List<Change> changes) {
    for (String one : List.of(name, ALL)) {
      Long known = person.first().get(what + one);
      if (known == null || at < known) {
        person.first().put(what + one, at);
        moved(one, count, known == null ? null : info.windowOf(known), info.windowOf(at), changes);
      }
    }
  }

  /** Keeps the earliest attempt or leave, on which waits depend. */
  private void timed(Person person, String what, long at, List<Change> changes) {
    Long waited = waitedWindow(person);
    Wait end = endOfWait(person);
    person.first().merge(what, at, Math::min);
    moved(ALL, "waited_20m", waited, waitedWindow(person), changes);
    moved(ALL, end, endOfWait(person), changes);
  }

  /** The end of a first wait: its window, and the count of durations that holds it. */
  private record Wait(long window, String count) {}

  /** The end of a person's first wait, with the first join or with a leave before any; null when there is none yet. */
  private Wait endOfWait(Person person) {
    Long attempt = person.first().get("attempt");
    long join = person.first().getOrDefault("join:" + ALL, Long.MAX_VALUE);
    long leave = person.first().getOrDefault("leave", Long.MAX_VALUE);
    long end = Math.min(join, leave);
    if (attempt == null || end == Long.MAX_VALUE || attempt > end) {
      return null;
    }
    String family = join <= leave ? "time_to_join:" : "time_to_exit:";
    return new Wait(info.windowOf(end), inBin(family, end - attempt));
  }

  /** The count of a family that holds a duration: its three leading binary digits are those of the bin. */
  private static String inBin(String family, long duration) {
    int shift = Math.max(0, Long.SIZE - Long.numberOfLeadingZeros(duration) - 3);
    return family + (duration >> shift << shift);
  }

  private static void moved(String name, Wait before, Wait after, List<Change> changes) {
    if (Objects.equals(before, after)) {
      return;
    }
    if (before != null) {
      changes.add(new Change(before.window(), name, before.count(), -1));
    }
    if (after != null) {
      changes.add(new Change(after.window(), name, after.count(), 1));
    }
  }

  /** The window in which somebody had waited twenty minutes, null when that never came. */
  private Long waitedWindow(Person person) {
    Long attempt = person.first().get("attempt");
    if (attempt == null) {
      return null;
    }
    long due = attempt + WAITED_MS;
    Long leave = person.first().get("leave");
    boolean waited = due <= info.talkStart() && (leave == null || leave > due);
    return waited ? info.windowOf(due) : null;
  }

  private static void moved(String name, String count, Long before, Long after, List<Change> changes) {
    if (Objects.equals(before, after)) {
      return;
    }
    if (before != null) {
      changes.add(new Change(before, name, count, -1));
    }
    if (after != null) {
      changes.add(new Change(after, name, count, 1));
    }
  }
}

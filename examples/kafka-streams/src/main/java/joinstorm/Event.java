package joinstorm;

import java.util.Set;

/** What a record of an input topic can be. */
sealed interface Event {
  /** Event time. */
  long at();

  /** An event that counts: it has an id, and is about one person. */
  sealed interface Counted extends Event {
    long id();

    long person();
  }

  /** {@code reason} is null where there is none, {@code sinceDropMs} is -1 where there is none. */
  record Presence(
      long id, long at, String kind, long person, String space, String client, long attempt, String reason, long sinceDropMs)
      implements Counted {}

  record Tweet(long id, long at, String kind, long person, String conversation, String text, Set<String> hashtags)
      implements Counted {}

  /** {@code end} says that nothing follows on this partition; else it is a watermark. */
  record Mark(long at, boolean end) implements Event {}
}

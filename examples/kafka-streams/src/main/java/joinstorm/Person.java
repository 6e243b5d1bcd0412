package joinstorm;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is known of one listener or author: the events met, and the earliest time of each thing that is counted once.
 *
 * @param seen event ids
 * @param first earliest times: {@code attempt}, {@code leave}, {@code join:SPACE}, {@code tweet:SUBJECT}; {@code *} stands
 *     for all of them
 */
record Person(Set<Long> seen, Map<String, Long> first) {
  static Person unknown() {
    return new Person(new TreeSet<>(), new HashMap<>());
  }
}

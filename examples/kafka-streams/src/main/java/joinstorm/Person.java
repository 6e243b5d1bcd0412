package joinstorm;

import java.util.HashMap;
import java.util.Map;

/**
 * What is known of one listener or author: the earliest time of each thing that is counted once.
 *
 * @param first earliest times: {@code attempt}, {@code leave}, {@code join:SPACE}, {@code tweet:SUBJECT}; {@code *} stands
 *     for all of them
 */
record Person(Map<String, Long> first) {
  static Person unknown() {
    return new Person(new HashMap<>());
  }
}

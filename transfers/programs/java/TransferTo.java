// SPDX-License-Identifier: MIT
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/** FileChannel.transferTo, which the virtual machine makes a sendfile where it can. */
final class TransferTo {
  private TransferTo() {}

  public static void main(String[] words) throws IOException {
    try (FileChannel source = Ends.source(words[0]);
        WritableByteChannel sink = Ends.sink(words[1])) {
      final long size = source.size();
      for (long done = 0; done < size; ) {
        done += source.transferTo(done, size - done, sink);
      }
    }
  }
}

// SPDX-License-Identifier: MIT
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;

/** A loop over streams with a buffer of 8 KiB. */
final class StreamCopy {
  private StreamCopy() {}

  public static void main(String[] words) throws IOException {
    try (InputStream source = new FileInputStream(words[0]);
        WritableByteChannel channel = Ends.sink(words[1]);
        OutputStream sink = Channels.newOutputStream(channel)) {
      final byte[] buffer = new byte[8192];
      for (int n; (n = source.read(buffer)) >= 0; ) {
        sink.write(buffer, 0, n);
      }
    }
  }
}

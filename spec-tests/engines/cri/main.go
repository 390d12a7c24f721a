// cri SOCKET METHOD [REQUEST]: one call of the Kubernetes Container Runtime Interface, as a kubelet makes it. METHOD is
// one of runtime.v1.RuntimeService; request and response are JSON. There is no client of it in Debian.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	_ "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const service = "runtime.v1.RuntimeService"

func newMessage(descriptor protoreflect.MessageDescriptor) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}

func call(socket, method, text string) (string, error) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
	if err != nil {
		return "", err
	}
	descriptor := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	if descriptor == nil {
		return "", fmt.Errorf("%s has no method %s", service, method)
	}
	request, err := newMessage(descriptor.Input())
	if err != nil {
		return "", err
	}
	if err := protojson.Unmarshal([]byte(text), request); err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	response, err := newMessage(descriptor.Output())
	if err != nil {
		return "", err
	}
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	if err := connection.Invoke(ctx, "/"+service+"/"+method, request, response); err != nil {
		return "", errors.New(status.Convert(err).Message())
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Format(response), nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: cri SOCKET METHOD [REQUEST]")
		os.Exit(2)
	}
	request := "{}"
	if len(os.Args) > 3 {
		request = os.Args[3]
	}
	response, err := call(os.Args[1], os.Args[2], request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(response)
}
